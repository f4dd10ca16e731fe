"""Makes the models that are shipped, from a folder of labelled comments. Not in the image; needs the extra `training`."""
