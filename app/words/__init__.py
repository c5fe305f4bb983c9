"""What is said to people: numbers, names, formulas and sentences as text, markup and segments."""
