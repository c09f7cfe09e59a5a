"""Rules files as values: their forms, and the checks of labels and rules that the API shares."""
