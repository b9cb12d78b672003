"""The invented names of the demo workspace."""

PEOPLE = (
    ("Nora Lindqvist", "nora@example.com", "manager"),
    ("Mateo Ferrer", "mateo@example.com", "member"),
    ("Aiko Brandt", "aiko@example.com", "member"),
    ("Samir Okafor", "samir@example.com", "member"),
)
FIRST = (
    "Alder", "Basalt", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbour", "Indigo", "Juniper", "Keystone", "Lumen",
    "Meridian", "Nimbus", "Orchard", "Pinnacle", "Quarry", "Ridge", "Summit", "Tidal", "Umber", "Vector", "Willow", "Zephyr",
)  # fmt: skip
SECOND = (
    "Logistics", "Foods", "Robotics", "Textiles", "Energy", "Clinics", "Software", "Packaging", "Insurance", "Optics",
    "Marine", "Retail",
)  # fmt: skip
INDUSTRY = {
    "Logistics": "Manufacturing", "Foods": "Retail", "Robotics": "Manufacturing", "Textiles": "Manufacturing",
    "Energy": "Public sector", "Clinics": "Health", "Software": "Software", "Packaging": "Manufacturing",
    "Insurance": "Finance", "Optics": "Health", "Marine": "Manufacturing", "Retail": "Retail",
}  # fmt: skip
CITIES = (
    ("Hamburg", "Germany"), ("Lyon", "France"), ("Leeds", "United Kingdom"), ("Porto", "Portugal"), ("Utrecht", "Netherlands"),
    ("Graz", "Austria"), ("Bergen", "Norway"), ("Bologna", "Italy"), ("Malmö", "Sweden"), ("Gdańsk", "Poland"),
)  # fmt: skip
FIRST_NAMES = (
    "Ines", "Tomas", "Greta", "Youssef", "Clara", "Henrik", "Paula", "Emil", "Farah", "Jonas", "Lea", "Marek", "Sofia",
    "Viktor", "Amara", "Louis", "Elin", "Rafael", "Hanna", "Oskar",
)  # fmt: skip
LAST_NAMES = (
    "Berg", "Costa", "Dubois", "Eriksen", "Fontana", "Gruber", "Hall", "Ivers", "Jansen", "Kowalski", "Laurent", "Moreau",
    "Novak", "Olsen", "Pereira", "Quist", "Rossi", "Schmidt", "Tanaka", "Weber",
)  # fmt: skip
POSITIONS = ("Head of purchasing", "CFO", "Operations manager", "IT lead", "Managing director", "Plant manager")
PRODUCTS = (
    "Fleet sensors", "Cold-chain monitoring", "Warehouse analytics", "Service contract", "Pilot project", "Line upgrade",
    "Support renewal", "Energy audit",
)  # fmt: skip
NEXT_STEPS = (
    "Call the buyer", "Send the offer", "Book a demo on site", "Wait for the budget round", "Check references",
    "Draft the contract", "Agree on delivery dates", "Meet their IT",
)  # fmt: skip
