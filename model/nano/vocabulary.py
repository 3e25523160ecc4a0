"""Words that real interfaces are made of."""

_LABELS = """
Save|Save As…|Save all|Open|Open…|Open File|Cancel|OK|Apply|Close|Done|Next|Back|Finish|Yes|No|Retry|Ignore|Abort
Help|Quit|Exit|Delete|Remove|Add|Add new|Edit|Rename|Copy|Paste|Cut|Duplicate|Undo|Redo|Select all|Clear|Reset
Refresh|Reload|Search|Find|Replace|Find and Replace|Sign in|Sign up|Log in|Log out|Sign out|Register|Create account
Forgot password?|Remember me|Keep me signed in|Continue|Skip|Submit|Send|Share|Upload|Download|Import|Export|Print
Preview|Publish|Update|Install|Uninstall|Restart|Shut down|Preferences|Settings|Options|General|Advanced|Appearance
Accounts|Privacy|Security|Notifications|Network|Display|Sound|Keyboard|Language|Region|Time zone|Theme|Dark mode
Light mode|High contrast|Font size|Zoom|Zoom in|Zoom out|Full Screen|View|Insert|Format|Tools|Window|Profile
My account|Dashboard|Overview|Reports|Analytics|Users|Groups|Roles|Permissions|Billing|Invoices|Orders|Products
Customers|Projects|Tasks|Calendar|Messages|Inbox|Sent|Drafts|Spam|Trash|Archive|Starred|Favourites|Recent|Documents
Pictures|Music|Videos|Downloads|Desktop|Home|Network drives|Computer|Recycle Bin|Shared with me|Storage|Help Center
Support|Contact us|About|About us|Terms of service|Privacy policy|Cookies|Accept all|Reject all|Learn more|Read more
Show more|Show less|View all|See all|Get started|Try for free|Buy now|Add to cart|Checkout|Place order|Apply coupon
Subscribe|Unsubscribe|Follow|Unfollow|Like|Comment|Reply|Forward|Reply all|Mark as read|Move to|New message|Compose
New folder|New file|New tab|New window|New project|New document|Properties|Details|Information|Status|Name
First name|Last name|Full name|Email|Email address|Password|Confirm password|Phone|Phone number|Address|Street|City
State|Country|Postal code|ZIP code|Company|Job title|Website|Description|Notes|Comments|Message|Subject|Title
Category|Tags|Type|Size|Date|Date modified|Start date|End date|Due date|Time|Duration|Priority|Assignee|Owner|Author
Version|Price|Quantity|Total|Subtotal|Tax|Shipping|Discount|Amount|Balance|Account number|Card number|Expiry date
CVV|Name on card|Username|User ID|Volume|Brightness|Contrast|Saturation|Opacity|Width|Height|Depth|Rotation|Scale
Speed|Quality|Resolution|Frame rate|Bit rate|Auto-save|Automatic updates|Show hidden files|Show line numbers
Word wrap|Spell check|Snap to grid|Show grid|Show ruler|Lock layers|Enable notifications|Play sounds|Start at login
Show in menu bar|Always on top|Use proxy|Offline mode|Airplane mode|Bluetooth|Wi-Fi|Location services
Share usage data|Send crash reports|Two-factor authentication|Allow cookies|Block pop-ups|Receive newsletter
I agree to the terms|Small|Medium|Large|Extra large|Low|Normal|High|None|All|Custom|Default|Automatic|Manual|Daily
Weekly|Monthly|Yearly|Never|Always|Ask every time|Left|Right|Center|Top|Bottom|Red|Green|Blue|Portrait|Landscape
English|Deutsch|Français|Español|Run|Build|Debug|Step over|Stop|Pause|Resume|Start|Record|Play|Connect|Disconnect
Pair|Scan|Test|Check for updates|Verify|Validate|Browse…|Choose file|Select…|Change|Manage|Configure|Customize
Enable|Disable|Allow|Deny|Block|Report|Mute|Unmute|Pin|Unpin|Hide|Show|Sort by|Filter|Group by|Columns|Rows|Merge
Split|Compare|Commit|Push|Pull|Fetch|Clone|Fork|Branch|Issues|Pull requests|Wiki|Insights|Terminal|Console|Output
Problems|Explorer|Extensions|Source control|Outline|Timeline|Bookmarks|History|Layers|Channels|Paths|Brushes|Assets
Library|Playlists|Albums|Artists|Genres|Podcasts|Radio|Queue|Now playing|Shuffle|Repeat|Lyrics|Equalizer|Effects
Filters|Page setup|Margins|Orientation|Header|Footer|Table of contents|Footnote|Word count|Styles|Paragraph|Bold
Italic|Underline|Bullets|Numbering|Align left|Chart|Table|Image|Link|Symbol|Equation|Slide show|Transitions
Animations|Review|Track changes|Protect|Freeze panes
"""

_MENUS = """
File|Edit|View|Insert|Format|Tools|Window|Help|Go|Bookmarks|History|Project|Build|Debug|Run|Selection|Terminal|Image
Layer|Table|Data|Actions|Options|Playback|Message|Account|Game|Search
"""

_FIRST = """
Alice|Bob|Carol|David|Emma|Frank|Grace|Henry|Ivy|Jack|Karen|Liam|Mia|Noah|Olivia|Paul|Quinn|Ruth|Sam|Tina|Uma|Victor
Wendy|Xavier|Yara|Zoe|José|Zoë|André|Björn|Chloé|Søren|Anaïs|Jürgen|Marek|Priya|Kenji|Fatima|Diego|Ingrid|Omar|Lucía
Hans|Nadia|Pedro|Elif|Tomás|Aisha
"""
_LAST = """
Smith|Johnson|Brown|García|Miller|Davis|Martínez|Wilson|Anderson|Taylor|Thomas|Moore|Jackson|Martin|Lee|Thompson
White|Harris|Clark|Lewis|Walker|Hall|Young|King|Wright|López|Hill|Green|Müller|Schmidt|Rossi|Novak|Silva|Tanaka|Kim
Chen|Patel|Khan|Ivanov|Nielsen|Dubois|Moreau|Sørensen|O'Brien|McDonald|Weiß|Åberg
"""
_CITIES = """
London|Paris|Berlin|Madrid|Rome|Vienna|Zürich|Oslo|Stockholm|Helsinki|Warsaw|Prague|Budapest|Lisbon|Dublin|Athens
New York|Boston|Chicago|Denver|Seattle|Austin|Toronto|Montréal|São Paulo|Lima|Bogotá|Tokyo|Osaka|Seoul|Delhi|Mumbai
Sydney|Cairo|Nairobi|Malmö|Köln|München|Reykjavík|Málaga
"""
_EXTENSIONS = """
txt|pdf|docx|xlsx|pptx|png|jpg|mp3|mp4|zip|tar.gz|py|js|ts|html|css|json|yaml|md|csv|log|ini|exe|dmg|svg|c|cpp|rs|go
java
"""
_CODE = """
def|return|import|from|class|if|else|for|while|in|None|True|False|self|int|str|const|let|function|await|async|new
public|static|void|struct|fn|match|try|except|raise|with|print|len|range|list|dict|export|default|type|enum
"""
_MONTHS = """
Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for line in text.strip().splitlines() for word in line.split("|"))


LABELS = _words(_LABELS)
MENUS = _words(_MENUS)
FIRST_NAMES = _words(_FIRST)
LAST_NAMES = _words(_LAST)
CITIES = _words(_CITIES)
EXTENSIONS = _words(_EXTENSIONS)
CODE_WORDS = _words(_CODE)
MONTHS = _words(_MONTHS)
