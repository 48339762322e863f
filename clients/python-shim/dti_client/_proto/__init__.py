"""Made by generate.py from protos/; not to be edited."""
