"""A picture server for a local network: `edgesr serve`."""
