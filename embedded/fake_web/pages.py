"""The pages of the made-up web."""

from embedded.fake_web.hostile import HOSTILE
from embedded.fake_web.page import WebPage

FRIENDLY = (
    WebPage(
        "ferries.example",
        "/timetable",
        "Ferry timetable of Port Alder",
        "2026-11-02",
        """
<p>The ferry from Port Alder to Gull Island sails every day of the winter, 1 November to
31 March. The crossing takes 35 minutes.</p>
<table><thead><tr><th>Leaves Port Alder</th><th>Leaves Gull Island</th></tr></thead>
<tbody><tr><td>07:40</td><td>08:30</td></tr><tr><td>12:15</td><td>13:05</td></tr>
<tr><td>17:50</td><td>18:40</td></tr></tbody></table>
<p>A return ticket is 14 crowns; children under six travel free. Dogs need a muzzle.</p>
<p>When it is windy, look at <a href="/today">what sails today</a>. The island itself is described
by <a href="http://gull-island.example/visit">its visitors' page</a>.</p>
""",
    ),
    WebPage(
        "ferries.example",
        "/today",
        "What sails today",
        "2026-12-01",
        """
<p>All three crossings sail today. The wind comes from the west, at 5 of Beaufort's numbers; there
may be delays of ten minutes in the evening.</p>
""",
    ),
    WebPage(
        "gull-island.example",
        "/visit",
        "Visiting Gull Island",
        "2026-09-14",
        """
<p>Gull Island has 212 inhabitants, one school and no cars. The lighthouse of 1862 may be climbed
from April to October, its 148 steps for 3 crowns.</p>
<p>The only inn is the Lantern; it has nine rooms, from 80 crowns a night, and closes in
January.</p>
<p>You come here by the ferry from Port Alder, three times a day in winter.</p>
""",
    ),
    WebPage(
        "kitchen.example",
        "/walnut-bread",
        "Walnut bread in three hours",
        "2026-03-08",
        """
<p>Makes one loaf of some 900 grams.</p>
<ul><li>500 g of bread flour</li><li>330 g of lukewarm water</li><li>120 g of walnuts</li>
<li>10 g of salt</li><li>7 g of dry yeast</li></ul>
<ol><li>Knead all but the walnuts for eight minutes.</li><li>Let it rise for 90 minutes.</li>
<li>Fold the walnuts in, shape the loaf, and wait for another 45 minutes.</li>
<li>Bake for 40 minutes at 220 degrees, with a bowl of water below.</li></ol>
""",
    ),
    WebPage(
        "gardeners.example",
        "/repotting",
        "When and how to repot a monstera",
        "2026-04-21",
        """
<p>Repot a monstera every two years, in spring, when its roots come out below. The new pot is five
centimetres wider and no more.</p>
<p>Mix two parts of potting soil with one of bark. Water it once, and then not for a week. Yellow
leaves afterwards mean too much water.</p>
""",
    ),
    WebPage(
        "alder-library.example",
        "/hours",
        "Opening hours of the library of Port Alder",
        "2026-10-05",
        """
<p>Monday to Friday 9:00 to 18:00, Saturday 10:00 to 14:00. Closed on Sunday and on holidays.</p>
<p>Phone 555 0101, 12 High Street. Membership is free; up to ten books may be borrowed for four
weeks.</p>
""",
    ),
    WebPage(
        "heat-pumps.example",
        "/compared",
        "Three heat pumps compared",
        "2026-08-30",
        """
<p>We measured three heat pumps for a house of 140 square metres, from October to April.</p>
<table><thead><tr><th>Model</th><th>Price</th><th>Electricity a winter</th>
<th>Noise</th></tr></thead>
<tbody><tr><td>Borea 6</td><td>7,900 crowns</td><td>3,100 kWh</td><td>48 dB</td></tr>
<tr><td>Calda S</td><td>9,400 crowns</td><td>2,650 kWh</td><td>41 dB</td></tr>
<tr><td>Nordic Eco</td><td>6,800 crowns</td><td>3,700 kWh</td><td>52 dB</td></tr></tbody></table>
<p>The Calda S costs most and saves most: at 0.30 crowns a kilowatt-hour it is paid back against
the Nordic Eco after eight winters.</p>
<p>Owners tell of their experience in <a href="http://forum.example/heat-pumps">a forum</a>.</p>
""",
    ),
)
ABOUT = WebPage(
    "about.example",
    "/",
    "This is a made-up web",
    "2026-12-01",
    """
<p>The product runs on a machine of your own without a key for a search engine, so the assistant
searches a small made-up web. It has pages about ferries to Gull Island, walnut bread, repotting a
monstera, a library's opening hours and heat pumps.</p>
<p>With BRAVE_SEARCH_API_KEY or EXA_API_KEY in .env it searches the real one.</p>
""",
)
PAGES = (*FRIENDLY, *HOSTILE, ABOUT)
