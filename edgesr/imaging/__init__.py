"""Pictures: files, arrays, metadata, tiles and seams."""
