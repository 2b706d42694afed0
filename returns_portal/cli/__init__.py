"""The command line: `returns-portal COMMAND`."""

from returns_portal.cli.group import Lazy

cli = Lazy(
    name="returns-portal",
    help="Returns without questions, for online shops. Settings come from the environment; see README.",
    context_settings={"help_option_names": ["-h", "--help"]},
    commands={
        "serve": ("processes:serve", "Run everything: database, web, worker, and the sandbox where it is used."),
        "web": ("processes:web", "Run the web process alone."),
        "worker": ("processes:worker", "Run the process of the jobs alone."),
        "stripe-sandbox": ("processes:stripe_sandbox", "Run the Stripe sandbox alone; no money moves there."),
        "migrate": ("database:migrate", "Bring the database to the schema of this version."),
        "check-migrations": ("database:check_migrations", "Tell whether tables and migrations agree."),
        "import-orders": ("orders:import_orders", "Import a file of orders."),
        "order-links": ("ways:order_links", "Print links to an order, for the shop's own e-mails."),
        "slip-qr": ("ways:slip_qr", "Write the code for an order's packing slip to a file."),
        "import-products": ("products:import_products", "Import a file of products."),
        "products-from-orders": ("products:products_from_orders", "Make products of what imported orders name."),
        "labels": ("labels:labels", "Make the labels of many returns into one PDF."),
        "export-refunds": ("finance:export_refunds", "Write the refunds of a period to a CSV file or a workbook."),
        "journal": ("finance:journal", "Write the journal of a period to a CSV file."),
        "close-month": ("finance:close_month", "Close a month of the books, and write its files."),
        "credit-notes": ("finance:credit_notes", "Give numbers to credit notes that have none yet."),
        "account-codes": ("finance:account_codes", "Show or set the codes of the ledger's accounts."),
        "check-books": ("finance:check_books", "Prove the books, and print what breaks them."),
        "reconcile": ("finance:reconcile", "Compare the ledger with Stripe's balance and payouts."),
        "shop": ("shop:shop", "Show or set what the shop is called and what it promises."),
        "policy": ("policy:policy", "Show the policy, or make its next version of a file."),
        "staff": ("access:staff", "Take on, list and disable members of staff."),
        "api-key": ("access:api_key", "Make, list and revoke keys of the JSON API."),
        "privacy": ("privacy:privacy", "Show what is kept of a person, or forget them."),
        "mail": ("mail:mail", "Show e-mails that could not be sent, and send them again."),
    },
)


def main() -> None:
    """Run the command line."""
    cli()
