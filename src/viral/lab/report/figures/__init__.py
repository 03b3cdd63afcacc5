"""Every figure of the reports and pages, as inline SVG without scripts, coloured by classes of ``figures.css``."""
