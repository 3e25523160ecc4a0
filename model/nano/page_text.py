# ruff: noqa: E501 - markup, style sheets, scripts and word lists read worse when they are broken
"""The words that rendered pages and windows are filled with."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

_ACTIONS = """Save|Cancel|OK|Apply|Close|Delete|Edit|Open|Print|Send|Reply|Forward|Archive|Download|Upload|Share|Search|Next
Back|Previous|Continue|Submit|Sign in|Log in|Log out|Sign up|Register|Create account|Add to cart|Buy now|Checkout|Pay now
Place order|Subscribe|Learn more|Read more|Get started|Try again|Retry|Refresh|Reload|Reset|Clear|Undo|Redo|Copy|Paste|Cut
Export|Import|Save as|Save changes|Discard|Confirm|Accept|Decline|Reject|Approve|Yes|No|Not now|Skip|Finish|Done|Start|Stop
Pause|Resume|Connect|Disconnect|Install|Update|Remove|Uninstall|Browse|Choose file|Add|New|New folder|Rename|Move|Duplicate
Merge|Compare|Preview|Publish|Comment|Follow|Like|Report|Block|Invite|Join|Leave|Help|Show details|Hide details|View all
Select all|Filter|Sort|Expand|Collapse|Run|Build|Test|Deploy|Sync now|Verify|Restore|Lock|Unlock|Enable|Disable|Test connection
Add row|Insert|Schedule|Snooze|Mark as read|Empty trash|Restart|Shut down|Calculate|Convert|Generate|Scan|Book now"""
_FIELDS = """Name|First name|Last name|Full name|Email|Email address|Phone|Phone number|Address|Street|City|State|Postcode
ZIP code|Country|Company|Job title|Website|User name|Password|Repeat password|Current password|New password|Card number
Expiry date|Security code|Card holder|Date of birth|Age|Quantity|Amount|Price|Title|Subject|Message|Description|Notes|Tags
Category|Priority|Status|Language|Time zone|Currency|Start date|End date|Due date|Project|Assignee|Department|Budget|Server
Port|Host|Database|Path|File name|Folder|Width|Height|Color|Font size|Format|Quality|Timeout|Retries|Proxy|API key|Token
Display name|Nickname|Bio|Location|Coupon code|Gift card|Delivery notes|Room|Guests|From|To|Cc|Departure|Arrival|Passengers"""
_CHECKS = """Remember me|Keep me signed in|Show password|I agree to the terms|Send me updates|Subscribe to newsletter|Dark mode
Enable notifications|Email alerts|Show hidden files|Case sensitive|Match whole word|Use proxy|Start at login|Auto save|Make public
Gift wrap|Same as billing address|Ship to another address|Show line numbers|Word wrap|Allow comments|Two-factor login|Mute
Share my location|Use system theme|Check spelling|Play sounds|Show preview|Compact view|Sync over Wi-Fi only|Backup daily
Express delivery|Standard delivery|Pick up in store|Pay by card|Pay by invoice|Monthly|Yearly|Never|Always|Ask every time"""
_SECTIONS = """Home|Dashboard|Products|Pricing|About|Contact|Blog|News|Docs|Support|Settings|Profile|Account|Billing|Orders
Customers|Reports|Analytics|Users|Teams|Projects|Tasks|Calendar|Messages|Inbox|Sent|Drafts|Spam|Trash|Starred|Archive|Files
Photos|Music|Videos|Shared|Recent|Favorites|Documents|Downloads|Desktop|Overview|Activity|Security|Privacy|Notifications
Appearance|General|Advanced|Network|Storage|Integrations|Members|Roles|Invoices|Payments|Shipping|Inventory|Marketing|Events
Help|Careers|Community|Features|Services|Gallery|Store|History|Bookmarks|Library|Issues|Releases|Branches|Wiki|Code"""
_MENUS = (
    "File|Edit|View|Insert|Format|Tools|Window|Help|Table|Go|Bookmarks|Search|Project|Run|Options|Layer|Select|Image"
)
_NOUNS = """river|table|window|garden|engine|letter|market|bridge|silver|winter|summer|orange|castle|doctor|island|planet
camera|ticket|basket|button|carpet|cotton|dinner|flower|forest|guitar|hammer|jacket|kettle|ladder|mirror|needle|office|pencil
rabbit|saddle|tunnel|valley|wallet|yellow|anchor|bottle|candle|desert|energy|fabric|galaxy|harbor|insect|jungle|kitten|lemon
mango|novel|ocean|piano|queen|radio|sugar|tiger|uncle|violin|whale|zebra|apple|bread|chair|dream|earth|flame|grape|house|
invoice|budget|meeting|report|contract|delivery|schedule|proposal|review|design|release|server|backup|recipe|journey|ticket
music|paper|stone|water|light|night|morning|city|school|train|plane|coffee|cheese|salad|pepper|honey|butter|almond|walnut"""
_ADJECTIVES = """new|old|small|large|red|blue|green|quiet|fast|slow|bright|dark|warm|cold|fresh|dry|simple|modern|classic|open
final|early|late|local|global|public|private|weekly|monthly|annual|free|smart|soft|hard|deep|light|rapid|golden|hidden|central"""
_NAMES = """Anna|Ben|Carla|David|Elena|Felix|Grace|Hugo|Ines|Jonas|Karin|Liam|Mia|Noah|Olga|Paul|Quinn|Rosa|Sam|Tara|Uma
Victor|Wendy|Yara|Zoe|Ahmed|Bianca|Chen|Dmitri|Emily|Fatima|George|Hannah|Ivan|Julia|Kofi|Lena|Marco|Nadia|Oscar|Priya"""
_SURNAMES = """Adams|Baker|Costa|Dubois|Evans|Fischer|Garcia|Hughes|Ito|Jensen|Kim|Lopez|Meyer|Novak|Okafor|Patel|Quist|Rossi
Smith|Tanaka|Ueda|Varga|Weber|Xu|Young|Zhang|Andersen|Brown|Clark|Diaz|Ekman|Ferrari|Gupta|Hansen|Ivanov|Jones|Kowalski"""
_COUNTRIES = (
    "France|Germany|Japan|Brazil|Canada|Kenya|Norway|Spain|Italy|India|Mexico|Poland|Chile|Egypt|Turkey|Peru|Vietnam"
)
_SYLLABLES = """ba be bo da de di do fa fe fi ga go ha ho ja jo ka ke ki ko la le li lo ma me mi mo na ne ni no pa pe po ra re
ri ro sa se si so ta te ti to va ve vi vo wa we za zo tra bri clo dra fla gri ple sta ster ton ler man nis lor var quo xi"""
_EXTENSIONS = "pdf|txt|docx|png|jpg|csv|zip|mp3|md|py|xlsx|svg|html|json|log|odt|mp4|tar.gz"


def _words(text: str) -> tuple[str, ...]:
    return tuple(w.strip() for line in text.splitlines() for w in line.split("|") if w.strip())


ACTIONS = _words(_ACTIONS)
FIELDS = _words(_FIELDS)
CHECKS = _words(_CHECKS)
SECTIONS = _words(_SECTIONS)
MENUS = _words(_MENUS)
NOUNS = _words(_NOUNS)
ADJECTIVES = _words(_ADJECTIVES)
NAMES = _words(_NAMES)
SURNAMES = _words(_SURNAMES)
COUNTRIES = _words(_COUNTRIES)
SYLLABLES = tuple(_SYLLABLES.split())
EXTENSIONS = _words(_EXTENSIONS)


@dataclass(frozen=True, slots=True)
class Words:
    """Random words and phrases of the kinds that user interfaces hold.

    ``novelty`` is the share of captions made of words that stand in no list, so that a model has to read them
    rather than know them.
    """

    rng: Random
    novelty: float = 0.35

    def word(self) -> str:
        """Return one lower-case word, often an invented one."""
        if self.rng.random() < 0.4:
            return "".join(self.rng.choices(SYLLABLES, k=self.rng.randint(2, 4)))
        return self.rng.choice(NOUNS)

    def phrase(self, low: int = 1, high: int = 3) -> str:
        """Return ``low`` to ``high`` words in one of the usual casings."""
        words = [self.word() for _ in range(self.rng.randint(low, high))]
        if len(words) > 1 and self.rng.random() < 0.4:
            words[0] = self.rng.choice(ADJECTIVES)
        text = " ".join(words)
        return self.rng.choice((text.capitalize(), text.capitalize(), text.title(), text))

    def action(self) -> str:
        """Return what a button says."""
        return self._known_or_new(ACTIONS)

    def actions(self, count: int) -> list[str]:
        """Return ``count`` different button captions."""
        return self.distinct(self.action, count)

    def field(self) -> str:
        """Return what a form field is called."""
        return self._known_or_new(FIELDS)

    def check(self) -> str:
        """Return what stands beside a check box."""
        return self._known_or_new(CHECKS, high=4)

    def section(self) -> str:
        """Return an entry of a navigation."""
        return self._known_or_new(SECTIONS, high=2)

    def menu(self) -> str:
        """Return a title of a menu bar."""
        return self._known_or_new(MENUS, high=1)

    def person(self) -> str:
        """Return a first and a last name."""
        return f"{self.rng.choice(NAMES)} {self.rng.choice(SURNAMES)}"

    def email(self) -> str:
        """Return an address under a domain reserved for examples."""
        return f"{self.rng.choice(NAMES).lower()}.{self.word()}@example.{self.rng.choice(('com', 'org', 'net'))}"

    def file(self) -> str:
        """Return a file name with its extension."""
        stem = self.rng.choice(("_", "-", " ")).join(self.word() for _ in range(self.rng.randint(1, 2)))
        number = f"_{self.rng.randint(1, 2030)}" if self.rng.random() < 0.3 else ""
        return f"{stem}{number}.{self.rng.choice(EXTENSIONS)}"

    def number(self) -> str:
        """Return a count, a price, a date, a time, a size or a percentage."""
        r = self.rng
        kinds = (
            lambda: str(r.randint(0, 9999)),
            lambda: f"${r.randint(1, 999)}.{r.randint(0, 99):02d}",
            lambda: f"{r.randint(1990, 2031)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}",
            lambda: f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}",
            lambda: f"{r.uniform(0.1, 900):.1f} {r.choice(('KB', 'MB', 'GB'))}",
            lambda: f"{r.randint(0, 100)}%",
        )
        return r.choice(kinds)()

    def value(self) -> str:
        """Return what a field or a table cell may hold."""
        makers = (self.person, self.number, self.phrase, self.email, self.file, self.country)
        return self.rng.choice(makers)()

    def country(self) -> str:
        """Return a country's name."""
        return self.rng.choice(COUNTRIES)

    def sentence(self, low: int = 5, high: int = 14) -> str:
        """Return words that look like a sentence."""
        words = [self.word() for _ in range(self.rng.randint(low, high))]
        return " ".join(words).capitalize() + "."

    def paragraph(self, low: int = 2, high: int = 5) -> str:
        """Return several sentences."""
        return " ".join(self.sentence() for _ in range(self.rng.randint(low, high)))

    def distinct(self, make: Callable[[], str], count: int) -> list[str]:
        """Call ``make`` until ``count`` different texts are there."""
        found: dict[str, None] = {}
        while len(found) < count:
            found[make()] = None
        return list(found)

    def _known_or_new(self, known: tuple[str, ...], high: int = 3) -> str:
        return self.phrase(1, high) if self.rng.random() < self.novelty else self.rng.choice(known)
