"""Issue to Edition: Jinja environment, CSS inlining, images, plain text. Knows no subscriber."""

from newsletter.rendering.edition import Edition, EmbeddedImage, HostedImage, Landing, Slot
from newsletter.rendering.render import Renderer

__all__ = ["Edition", "EmbeddedImage", "HostedImage", "Landing", "Renderer", "Slot"]
