from odoo import Command
from odoo.tests import Form, TransactionCase, new_test_user, tagged

STOCK_USER = "stock.group_stock_user"


class DeliveryMixin:
    """A company that delivers laptops, each with its serial number, to two customers.

    Who delivers them (``st_warehouse``) has no right on equipment.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_up_deliveries()

    @classmethod
    def _set_up_deliveries(cls):
        cls.company = cls._get_company()
        cls.warehouse_user = cls._new_user("warehouse", STOCK_USER)
        cls.technician = cls._new_user(
            "technician", "client_equipment.group_client_equipment_user"
        )
        cls.customer, cls.other_customer = cls.env["res.partner"].create(
            [
                {"name": "Tour Dental Practice", "is_company": True},
                {"name": "Tour Harbour Works", "is_company": True},
            ]
        )
        cls.branch = cls.env["res.partner"].create(
            {
                "name": "Harbour Branch",
                "parent_id": cls.customer.id,
                "type": "delivery",
            }
        )
        cls.laptop = cls._new_product("Aurora Laptop 14", default_code="AL-14")

    @classmethod
    def _get_company(cls):
        return cls.env["res.company"].create({"name": "Cobalt Services"})

    @classmethod
    def _new_user(cls, role, groups):
        """Return a new user ``st_<role>`` of the company."""
        return new_test_user(
            cls.env,
            f"st_{role}",
            f"base.group_user,{groups}",
            {"no_reset_password": True},  # no invitation, which takes half of the time
            name=f"{role.title()} Tester",
            company_id=cls.company.id,
            company_ids=[Command.set(cls.company.ids)],
        )

    @classmethod
    def _new_product(cls, name, **values):
        return cls.env["product.product"].create(
            {
                "name": name,
                "is_storable": True,
                "tracking": "serial",
                "is_client_equipment": True,
                "client_equipment_manufacturer": "Aurora",
                "client_equipment_warranty_months": 24,
            }
            | values
        )

    @classmethod
    def _warehouse(cls, company=None):
        return cls.env["stock.warehouse"].search(
            [("company_id", "=", (company or cls.company).id)], limit=1
        )

    @classmethod
    def _stock(cls, *serials, product=None, company=None):
        """Put units into the stock of the company; return their serial numbers."""
        lots = cls.env["stock.lot"].create(
            [
                {
                    "name": serial,
                    "product_id": (product or cls.laptop).id,
                    "company_id": (company or cls.company).id,
                }
                for serial in serials
            ]
        )
        for lot in lots:
            cls.env["stock.quant"]._update_available_quantity(
                lot.product_id,
                cls._warehouse(company).lot_stock_id,
                1,
                lot_id=lot,
            )
        return lots

    @classmethod
    def _prepare(
        cls, lots, partner=None, demand=None, company=None, user=None, **move_values
    ):
        """Return a delivery of these units, ready to be validated by the user.

        :param move_values: for moves that are not ordinary
        """
        picking_type = cls._warehouse(company).out_type_id
        picking = (
            cls.env["stock.picking"]
            .with_user(user or cls.warehouse_user)
            .create(
                {
                    "picking_type_id": picking_type.id,
                    "partner_id": (partner or cls.customer).id,
                    "move_ids": [
                        Command.create(
                            {
                                "product_id": product.id,
                                "product_uom_qty": demand or len(of_product),
                                "location_id": picking_type.default_location_src_id.id,
                                "location_dest_id": cls.env.ref(
                                    "stock.stock_location_customers"
                                ).id,
                            }
                            | move_values
                        )
                        for product, of_product in lots.grouped("product_id").items()
                    ],
                }
            )
        )
        picking.action_confirm()
        by_product = lots.grouped("product_id")
        for move in picking.move_ids:
            move.write({"lot_ids": by_product[move.product_id].ids, "picked": True})
        return picking

    @classmethod
    def _deliver(cls, lots, *args, **kwargs):
        """Deliver these units and return the delivery."""
        picking = cls._prepare(lots, *args, **kwargs)
        picking._action_done()
        return picking

    @classmethod
    def _return(cls, picking, user=None):
        """Return all that was delivered, in the dialog of the delivery."""
        user = user or cls.warehouse_user
        dialog = Form(
            cls.env["stock.return.picking"]
            .with_user(user)
            .with_context(
                active_id=picking.id, active_ids=picking.ids, active_model=picking._name
            )
        ).save()
        action = dialog.action_create_returns_all()
        receipt = cls.env["stock.picking"].with_user(user).browse(action["res_id"])
        receipt.move_ids.picked = True
        receipt._action_done()
        return receipt

    @classmethod
    def _units(cls, lots):
        """Return the equipment with these serial numbers, archived too."""
        return cls.env["client.equipment"].search(
            [
                ("active", "in", [True, False]),
                ("serial_no", "in", lots.mapped("name")),
            ],
            order="serial_no, id",
        )


@tagged("post_install", "-at_install")
class DeliveryCommon(DeliveryMixin, TransactionCase):
    """Base of the unit tests."""
