"""The house rules that no linter sees."""
