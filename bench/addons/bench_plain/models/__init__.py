from . import plain_key
