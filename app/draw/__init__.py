"""From numbers to what a page shows of them: text, formulas, the diagram, unit pictures and charts."""
