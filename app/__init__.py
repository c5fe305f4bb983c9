"""The playground's server: JSON, pages and the stores behind them; `engine` does the arithmetic."""
