"""The methods of the Bot API that the stand-in has, by the name that a call gives."""
