"""Our own comments and pieces with their themes, for training and evaluating the meaning head."""
