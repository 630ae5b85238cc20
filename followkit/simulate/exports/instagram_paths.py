"""Where each list of Instagram's export lies, and under which key, by era."""

from __future__ import annotations

from followkit.simulate.exports.instagram_sheets import OPTIONAL_PEOPLE

__all__ = ["ERAS", "STORY_LISTS", "WRAPPERS", "find_path"]

#: `C-early` is the first half of 2023: bare array of followers, but not yet the prefixes.
ERAS = ("A", "B", "C-early", "C", "D", "E")
STORY_LISTS = ("story_likes", "emoji_quick_reactions", "polls")

WRAPPERS = {
    "followers": "relationships_followers",
    "following": "relationships_following",
    "pending": "relationships_follow_requests_sent",
    "recent": "relationships_permanent_follow_requests",
    "received": "relationships_follow_requests_received",
    "unfollowed": "relationships_unfollowed_users",
    "close_friends": "relationships_close_friends",
    "favorites": "relationships_feed_favorites",
    "dismissed": "relationships_dismissed_suggested_users",
    "restricted": "relationships_restricted_users",
    "blocked": "relationships_blocked_users",
    "hidden": "relationships_hide_stories_from",
    "hashtags": "relationships_following_hashtags",
    "liked_posts": "likes_media_likes",
    "liked_comments": "likes_comment_likes",
    "post_comments": "comments_media_comments",
    "reels_comments": "comments_reels_comments",
    "hype": "comments_story_comments",
    "saved_posts": "saved_saved_media",
    "posts_viewed": "impressions_history_posts_seen",
    **{name: f"story_activities_{name}" for name in STORY_LISTS},
}
_NAMES = {
    "pending": "pending_follow_requests",
    "recent": "recent_follow_requests",
    "received": "follow_requests_you've_received",
    "unfollowed": "recently_unfollowed_profiles",
    "favorites": "profiles_you've_favorited",
    "dismissed": "removed_suggestions",
    "restricted": "restricted_profiles",
    "blocked": "blocked_profiles",
    "hidden": "hide_story_from",
    "hashtags": "following_hashtags",
    "post_comments": "post_comments_1",
    "posts": "posts_1",
    "contacts": "synced_contacts",
}
_OLD_NAMES = {
    "unfollowed": "recently_unfollowed_accounts",
    "restricted": "restricted_accounts",
    "blocked": "blocked_accounts",
    "post_comments": "post_comments",
}
_PEOPLE = ("followers", "following", "hashtags", *OPTIONAL_PEOPLE)
_FOLDERS = {
    "liked_posts": "likes",
    "liked_comments": "likes",
    "post_comments": "comments",
    "reels_comments": "comments",
    "hype": "comments",
    "saved_posts": "saved",
    "posts": "content",
    "reels": "content",
    "stories": "content",
    "messages": "messages",
}
_PREFIXES = {"posts_viewed": "ads_information/", "contacts": "connections/"}


def find_path(name: str, era: str, *, apostrophe: str = "'") -> str:
    """Return the path of a list without its ending, as the era has it.

    Examples
    --------
    >>> find_path("following", "B"), find_path("posts", "D")
    ('followers_and_following/following', 'your_instagram_activity/media/posts_1')
    >>> find_path("personal_information", "C")
    'personal_information/personal_information/personal_information'
    """
    early = era in ("B", "C-early")
    base = _NAMES.get(name, name)
    if early:
        base = _OLD_NAMES.get(name, base)
    if name == "followers" and era != "B":
        base = "followers_1"
    folder, prefix = _find_folder(name, era)
    path = f"{folder}/{base}" if early else f"{prefix}{folder}/{base}"
    return path.replace("'", apostrophe)


def _find_folder(name: str, era: str) -> tuple[str, str]:
    """Return the folder, and what stands before it from late 2023 on."""
    if name in _PEOPLE:
        return "followers_and_following", "connections/"
    if name == "personal_information":
        return ("account_information" if era == "B" else name), "personal_information/"
    if name in STORY_LISTS:
        new = era in ("D", "E")
        folder = "story_interactions" if new else "story_sticker_interactions"
    elif name in ("posts", "reels", "stories"):
        folder = "media" if era in ("D", "E") else "content"
    elif name == "posts_viewed":
        folder = "ads_and_topics"
    else:
        folder = _FOLDERS.get(name, name)
    return folder, _PREFIXES.get(name, "your_instagram_activity/")
