"""Issue to Edition: the Jinja environment, CSS inlining, images, plain text. Knows no subscriber."""
