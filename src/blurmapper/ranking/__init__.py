"""Photos in order of their blur: measured, grouped, chosen, rated."""
