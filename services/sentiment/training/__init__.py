"""Train the shipped models from a folder of labelled comments. Not part of the image; needs the extra `training`."""
