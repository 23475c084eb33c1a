"""The site of the hub: pages for people, rendered on the server, over whatever hubs there are.

Everything works without the script, which only makes it quicker: it searches as one types, copies commands and
remembers the theme. Pages are in English and Japanese. They ask no third party for anything, and have no inline script
or style, so that the policy ``default-src 'self'`` holds.
"""

from .handlers import error_page as error_page
from .handlers import routes as routes
