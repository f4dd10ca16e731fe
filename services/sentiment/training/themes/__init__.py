"""Comments and pieces of comments with their themes, written by us: what the theme head learns from, and what it is judged by."""
