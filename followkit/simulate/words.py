"""The town's vocabulary: eight topics in three languages, small talk, hashtags and places."""
# ruff: noqa: E501 (a table of words reads best one topic a line)

from __future__ import annotations

LANGUAGES = ("en", "es", "de")

#: (topic, words by language)
TOPICS: tuple[tuple[str, tuple[str, str, str]], ...] = (
    ("photo", ("lens aperture portrait street light shutter film print contrast frame",
               "lente retrato luz calle cámara película", "objektiv porträt licht blende film straße")),
    ("cooking", ("recipe oven dough spice simmer garlic harvest soup roast kitchen",
                 "receta horno masa especia ajo sopa", "rezept ofen teig gewürz suppe küche")),
    ("running", ("marathon pace interval stride trail tempo hill race lace split",
                 "maratón ritmo sendero carrera zancada cuesta", "lauf tempo strecke hügel rennen schritt")),
    ("gardening", ("seed compost prune bloom greenhouse soil mulch root rose cutting",
                   "semilla abono poda rosa tierra raíz", "samen kompost beet rose erde wurzel")),
    ("data", ("model sample variance chart table regression median notebook survey code",
              "modelo muestra gráfico tabla mediana encuesta", "modell stichprobe tabelle median umfrage")),
    ("music", ("chord vinyl drum synth melody concert bass tune record choir",
               "acorde vinilo batería melodía concierto bajo", "akkord platte schlagzeug melodie konzert")),
    ("travel", ("train harbour passport island hostel ferry summit map desert border",
                "tren puerto isla mapa desierto frontera", "zug hafen insel karte wüste grenze")),
    ("books", ("novel chapter essay poem plot author library shelf draft margin",
               "novela capítulo poema autor biblioteca borrador", "roman kapitel gedicht autor bibliothek")),
)  # fmt: skip

#: What bots write about, and nobody else.
DEALS = ("deals", ("giveaway promo code bonus cashback offer voucher win click discount",
                   "sorteo promo código bono oferta vale", "gewinn promo code bonus angebot gutschein"))  # fmt: skip
SUBJECTS = (*TOPICS, DEALS)

SMALL_TALK = (
    "today finally again good new small first morning weekend think",
    "hoy por fin otra vez nuevo pequeño mañana",
    "heute endlich wieder neu klein morgen gut",
)

#: How a post ends, by habit.
ENDINGS = ("", ".", "!", " …")

COMMENTS = (
    "love the {word}", "how did you do the {word}?", "the {word} is the best part",
    "never thought of {word} that way", "more {word} please",
)  # fmt: skip
GENERIC_COMMENTS = ("so good", "love this", "great post", "same here", "where is this?")
BOT_COMMENTS = ("nice!", "great page, check mine", "wow", "follow for more")
REPLIES = ("thanks, the {word} took a while", "{word} again tomorrow", "ask me about {word}")

#: Hashtags that fit anything, and what weekly fashions are called before their number.
BROAD_TAGS = ("daily", "love", "mood", "best")
FASHIONS = ("fair", "challenge", "season", "week", "final", "launch")

#: Where people live, by language.
PLACES = (("Leeds", "Austin", "Cork"), ("Sevilla", "Lima", "Quito"), ("Bremen", "Graz", "Bern"))
