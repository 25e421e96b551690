from . import client_equipment
from . import product_template
from . import stock_lot
from . import stock_move
from . import stock_move_line
from . import stock_picking
