"""Words that the formats of exports are made of: what a structure may show.

A key or file name that holds any other word is blanked, since it may be somebody's name. Words are
lower case; keys are split at case, digits and marks before they are looked up.
"""

from __future__ import annotations

__all__ = [
    "EXTENSIONS", "LABELS", "MAPS", "NAMES_FOLLOW", "PREFIXES", "TAGS", "THREADS", "VOCABULARY",
]  # fmt: skip

_WORDS = """
about accept accepted access account accounts activities activity actor ad additional address ads
advertisers ageinfo alias aliases all allow also and answer any app application approves apps
archive archived as at atom attachment attachments attributed audience audio audit author autofill
automated avatar backup base based bcc bio birth blob blobs block blocked blocking blocks body
bookmarks boosts broadcast browser browsing bsky bto bug business by c can caption captions car
category cc certifications change changed changes channel chat chats checkins cid circle circles
client clips close closed cm code codec cohost coins collection collections comment commentary
commented comments communities community company config connected connections contact contacts
content contents context conversation conversations cookie cookies count countdowns country cover
create created creation creator cross custom data date day deactivated deactivation default
deleted desc description details device devices dict did dimensions direct direction discoverable
dismissed display dm dms document domain domains draft duet duration edit editable education
effect effects eligible email embed emoji end ended endorsements endpoint endpoints engagement
engagements entities entries entry event events expanded expiration expired extended external
facets family fan fans favorite favorited favorites fb fbid featured features feed feedback field
fields file files filtered first folder follow followed follower followers following follows for
format friend friends friendship from full gallery gender generation generator geoblocked gif gift
gifts giphy give global globs granular graph group groups handle hash hashtag hashtags have header
headers height hidden hide highlight highlights history home href html hype icon id identity ids
ig igtv image images impressions in inbox indexable indices inferred info information insights
instagram intent interactions interested interests invitation invitations invite invitee
inviteeprofileurl inviter inviterprofileurl invites ip is item items job jobs joined json key
keyword keywords kind known label labeler labels lang language languages last latitude lead
learning like liked likers likes link linked links list lists live locale location locations
logged login logins logout longitude magic main manifest manually map maps media member members
memorial mention mentions message messages meta metadata method migration mobile mode modified
moment moments monetization month most moved ms music mute muted mutual mutuals my n name names
new next no note notes notifications notify number object of off offensive on one opened options
ordered organic original ostatus other out outbox owner page pages parent part partial participant
participants partners partof password path payments pem pending people periscope permalink
permanent permission personalization phone photo photos pii pinned place places platform playlist
playlists plays poll polls position positions possibly post posted posts preferences preferred
prev previous price privacy private products profile profiles pronouns protected public published
purchase query question questions quick quizzes quote quotes rate reach reached reaction reactions
read reason received recent recently recipient recommendations record records reel reels region
registration rejected relationship relationships relay remaining removal removed replied replies
reply repo report reported reports repost reposts request requested requests resolution responses
restrict restricted result results retweet retweeted retweets rev review reviews rich rkey root s
save saved saves schema screen search searches section security see seen self sender sensitive
sent session sessions settings share shared shares shop shopping show shown signup size sizes
skills sliders snippets sound sounds source sources spaces spoiler start state statistics status
sticker stickers still stitch stories story str streams string sub subject subscribed subscribers
subscription subscriptions subtitle subtype suggested suggestions summary support suspended
symbols synced system tag tagged tags takeout target telephone text thar thread threads thumbnail
thumbnails tik tiktok time timeline timestamp timezone title to tok token topic topics total
translation truncated tweet tweets twitter two type types unfollow unfollowed unfollows update
updated updates upload uploaded uploads uri url urls usage use used user username users v value
values variant ve verification verified version via video videos view viewed viewer views
visibility visits voters votes wallet watch watched website wellness when who whom width window
with word words x y year you your youtube ytd z
"""
VOCABULARY = frozenset(_WORDS.split())

#: Objects under these may have names of accounts as keys: Instagram until 2020, TikTok's chats.
MAPS = frozenset(
    (
        "blocked_users", "restricted_users", "follow_requests_sent", "permanent_follow_requests",
        "followers", "following", "close_friends", "following_hashtags",
        "dismissed_suggested_users", "followers_and_following", "ChatHistory",
        "chats", "participants",
    )
)  # fmt: skip

#: Beginnings of keys that stay where the rest is blanked.
PREFIXES = (
    "relationships_", "text_post_app_", "story_activities_", "impressions_history_",
    "organic_insights_", "likes_", "comments_", "saved_", "contacts_", "profile_", "ig_",
    "window.YTD.", "app.bsky.",
)  # fmt: skip
#: Behind these comes a name, always.
NAMES_FOLLOW = ("Chat History with ",)

#: Words before a colon in text files. A sentence may have a colon too, so no others are shown.
LABELS = frozenset(
    ("date", "username", "user name", "link", "likes", "like", "comment", "content", "from", "to",
     "title", "sound", "photo", "url", "who can view", "allow comments", "status", "method")
)  # fmt: skip

#: Folders whose subfolders are conversations, named after people.
THREADS = frozenset(
    ("inbox", "message_requests", "archived_threads", "filtered_threads", "broadcast",
     "e2ee_cutover")
)  # fmt: skip

EXTENSIONS = frozenset(
    ("json", "js", "csv", "tsv", "txt", "html", "htm", "xml", "md", "car", "zip", "pdf", "css",
     "srt", "vcf", "ics", "mbox", "bin", "ts", "eot")
)  # fmt: skip

_TAG_WORDS = """
a article aside b base body br button code div em footer form h1 h2 h3 h4 h5 h6 head header hr html
i img input label li link main meta nav ol p path pre script section small span strong style svg
table tbody td th thead time title tr u ul video audio
"""
TAGS = frozenset(_TAG_WORDS.split())
