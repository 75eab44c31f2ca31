"""What the author writes: issue sources, their models, Markdown with Chinese manners. No rendering here."""
