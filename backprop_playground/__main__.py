"""`python -m backprop_playground` is the command."""

from backprop_playground import main

main()
