"""Issue to Edition: Jinja environment, CSS inlining, images, plain text. Knows no subscriber."""
