"""Running OpenClaw for one person: cells, the meter, their files. No database, no web."""
