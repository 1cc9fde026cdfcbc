"""Values that dashboard queries ask for."""

TYPES = ["page_view", "click", "purchase", "search", "add_to_cart", "checkout", "scroll", "login", "error", "refund"]
COUNTRIES = ["US", "DE", "GB", "FR", "IN", "BR", "JP", "CA", "ES", "IT", "NL", "PL", "SE", "AT", "CH", "BE", "DK", "NO"]
DEVICES = ["mobile", "desktop", "tablet", "tv"]
SYSTEMS = ["Android", "iOS", "Windows", "macOS", "Linux"]
BROWSERS = ["Chrome", "Safari", "Firefox", "Edge", "Samsung Internet", "Opera"]
SECTIONS = ["home", "product", "category", "cart", "help", "blog", "account", "search"]
LIMITS = [10, 20, 25, 50, 100]
