"""Clips: their maps as an overlay video, S of every frame, and the sharpest frames as photos."""
