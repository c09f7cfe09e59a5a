"""The steps of the schema, one file each. A step that was released is never edited."""
