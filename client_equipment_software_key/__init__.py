from . import models, report, wizards, controllers
