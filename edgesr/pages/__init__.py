"""Parts of HTML pages that several commands write: SVG plots, a slider between two pictures."""
