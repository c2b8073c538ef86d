"""Where gunicorn starts the website. Its gevent worker patches the standard library before."""

from gateways import logs
from models import database
from settings import get_settings
from webapp import create_app

logs.configure(get_settings())
database.connect(get_settings().database_url.get_secret_value())
app = create_app(get_settings())
