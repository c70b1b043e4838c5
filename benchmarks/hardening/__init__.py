"""Files that are broken in 20,000 ways, and what `blurmapper map` makes of each."""
