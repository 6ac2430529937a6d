"""What a benchmark's exit code tells."""

GOAL_MISSED = 1
NOT_COMPARABLE = 3
"""A way failed, or found other numbers than it should."""
