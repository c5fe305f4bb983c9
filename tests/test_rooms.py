"""Rooms and names as values: what may happen in a class, whatever order it happens in."""

import unicodedata
from dataclasses import replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.failures import OtherVersion, RoomDamaged
from app.room import rooms, screens
from app.room.names import cell, clean
from app.room.polls import BadQuestion, ClassQuestion
from app.room.rooms import ALPHABET, Poll, Refused, Room, Shared
from app.stores import NEW
from app.stores.seal import seal

QUESTION = ClassQuestion(
    0, "direction", "Which way?", ("up", "down", "stay"), truth="up", sentence="Up.", address="W1.1.1"
)
STUDENTS = ("ada", "bob", "eve")
HOSTILE = (
    "<script>alert(1)</script>", "\u202eevil\u2066", "a\u0301" * 100, "\u200b\u200d\ufeff", "x" * 500, "\x00\x1b[31m",
    "👩\u200d🔬", "=1+1", "Zoë\r\ndata: {}",
    "\ud800lone", "ﷺ" * 60, "{{7*7}}", "' OR 1=1 --", "e\u0301\u0301\u0301\u0301",
)  # fmt: skip


def new_room() -> Room:
    return Room(rooms.new_code(), rooms.hashed("secret"), Shared("run", 3))


def test_codes_have_no_look_alikes_and_are_read_in_any_spelling() -> None:
    """8 of 31 characters; case, a space, a dash in the middle do not matter; what cannot be a code is None."""
    assert not set("0O1IL") & set(ALPHABET)
    for code in (rooms.new_code() for _ in range(50)):
        spaced = rooms.spaced(code)
        assert len(spaced) == 9
        for typed in (code, code.lower(), spaced, spaced.lower().replace(" ", "-"), f" {spaced} "):
            assert rooms.code_of(typed) == code
    for wrong in ("", "KX4T9RW", "KX4T9RWMM", "KX4T9RW0", "KX4T9RWİ", "../../..", "K" * 10_000):
        assert rooms.code_of(wrong) is None


def test_codes_and_secrets_are_drawn_from_all_there_are() -> None:
    """No character is missing, none repeats by design; a secret has 256 bits."""
    drawn = "".join(rooms.new_code() for _ in range(400))
    assert set(drawn) == set(ALPHABET)
    assert len({rooms.new_secret() for _ in range(100)}) == 100
    assert len(rooms.new_secret()) == 43


def test_only_the_secret_makes_a_teacher_and_only_its_hash_is_kept() -> None:
    """Not its hash, not nothing, not another's; the packed room does not hold it."""
    room = new_room()
    assert rooms.is_teacher(room, "secret")
    for wrong in (None, "", "Secret", room.teacher, "secret\x00", "\ud800"):
        assert not rooms.is_teacher(room, wrong)
    assert b"secret" not in rooms.pack(room)


def test_a_student_is_nobody_in_another_room() -> None:
    """The same visitor has unrelated names in two rooms, and neither tells the visitor's token."""
    one, two = (rooms.student_id(code, "token") for code in ("KX4T9RWM", "KX4T9RWN"))
    assert one != two
    assert "token" not in one


def test_one_answer_that_may_change_until_the_question_is_closed() -> None:
    """The last one counts; a closed or revealed question, another question and a stranger are refused."""
    room = rooms.ask(rooms.join(new_room(), "ada"), QUESTION)
    room = rooms.answer(room, "ada", 1, "up")
    room = rooms.answer(room, "ada", 1, " Down ")
    assert room.poll is not None
    assert dict(room.poll.answers) == {"ada": "down"}
    assert rooms.answer(room, "ada", 1, "down") is room
    with pytest.raises(Refused, match="join"):
        rooms.answer(room, "eve", 1, "up")
    with pytest.raises(BadQuestion):
        rooms.answer(room, "ada", 1, "sideways")
    with pytest.raises(Refused, match="not the one"):
        rooms.answer(room, "ada", 2, "up")
    for over in (rooms.close(room, 1), rooms.reveal(room, 1), rooms.reveal(rooms.close(room, 1), 1)):
        with pytest.raises(Refused, match="closed"):
            rooms.answer(over, "ada", 1, "up")


def test_nothing_is_told_before_its_time() -> None:
    """Open: how many answered, and to the wall alone. Closed: counts. Revealed: the truth. The run's id: never."""
    room = rooms.ask(rooms.join(new_room(), "ada", "Ada"), QUESTION)
    room = rooms.answer(room, "ada", 1, "up")
    for audience in (screens.STUDENT, screens.WALL):
        for stage, now in (("open", room), ("closed", rooms.close(room, 1)), ("revealed", rooms.reveal(room, 1))):
            told = screens.told(now, audience)
            question = told["question"]
            assert question["status"] == stage
            assert (question["truth"] is None) == (question["sentence"] is None) == (stage != "revealed")
            shown = stage == "revealed" or (stage == "closed" and audience == screens.WALL)
            assert (question["bars"] is not None) == shown
            if shown and stage == "closed":
                assert all(bar["true"] is None for bar in question["bars"])
            assert "Ada" not in str(told)
            assert "shared" not in told
    assert "answered" not in screens.told(room, screens.STUDENT)["question"]
    assert screens.told(room, screens.WALL)["question"]["answered"] == 1


def test_a_name_stands_on_the_wall_only_if_its_owner_agreed() -> None:
    """A hand-in without consent, or without a nickname, is shown without a name; the teacher sees it all the same."""
    room = rooms.join(rooms.join(new_room(), "ada", "Ada"), "bob")
    for student, named, expected in (("ada", True, "Ada"), ("ada", False, None), ("bob", True, None)):
        handed = rooms.hand_in(room, student, "copy", 5, named=named)
        shown = rooms.show(handed, handed.hand_ins[-1].number)
        assert shown.on_screen == Shared("copy", 5)
        assert screens.told(shown, screens.WALL)["shown"]["nickname"] == expected
        assert screens.told(shown, screens.TEACHER)["hand_ins"][-1]["nickname"] == ("Ada" if student == "ada" else None)
    with pytest.raises(Refused):
        rooms.show(room, 7)


def test_showing_something_takes_a_hand_in_off_the_wall() -> None:
    """And a newer hand-in of the same student does so too, for what was shown is gone."""
    room = rooms.join(new_room(), "ada")
    shown = rooms.show(rooms.hand_in(room, "ada", "copy", 5), 1)
    assert rooms.share(shown, Shared("run", 4)).on_screen == Shared("run", 4)
    assert rooms.hand_in(shown, "ada", "copy", 9).shown is None


def test_one_who_is_removed_leaves_nothing_on_the_screens() -> None:
    """Not the answer, not the copy on the wall; joining, answering and handing in are refused until let in again."""
    room = rooms.ask(rooms.join(rooms.join(new_room(), "ada", "Ada"), "bob"), QUESTION)
    room = rooms.answer(rooms.answer(room, "ada", 1, "up"), "bob", 1, "down")
    room = rooms.show(rooms.hand_in(room, "ada", "copy", 5, named=True), 1)
    gone = rooms.remove(room, 1)
    told = screens.told(gone, screens.TEACHER)
    assert "Ada" not in str(told)
    assert (told["joined"], told["question"]["answered"], told["hand_ins"], told["shown"]) == (1, 1, [], None)
    assert gone.on_screen == room.shared
    for deed in (
        lambda: rooms.join(gone, "ada", "Eve"), lambda: rooms.answer(gone, "ada", 1, "up"),
        lambda: rooms.hand_in(gone, "ada", "copy", 5), lambda: rooms.take_copy(gone, "ada", "copy"),
        lambda: rooms.remove(gone, 1), lambda: rooms.readmit(gone, 2),
    ):  # fmt: skip
        with pytest.raises(Refused):
            deed()
    assert rooms.join(gone, "eve").students["eve"].number == 3
    back = rooms.readmit(gone, 1)
    assert back.students == room.students
    assert "ada" not in back.poll.answers  # type: ignore[union-attr]


def test_who_is_here_is_told_without_what_they_answer_while_it_is_open() -> None:
    """The teacher's screen may be the one on the wall; once closed, who gave which answer can be seen."""
    room = rooms.answer(rooms.ask(rooms.join(rooms.join(new_room(), "ada", "Ada"), "bob"), QUESTION), "ada", 1, "up")
    ada = {"number": 1, "nickname": "Ada", "answered": True, "answer": None}
    bob = {"number": 2, "nickname": None, "answered": False, "answer": None}
    assert screens.students(room) == {"students": [ada, bob], "removed": []}
    assert screens.students(rooms.close(room, 1))["students"] == [ada | {"answer": "up"}, bob]
    removed = screens.students(rooms.remove(room, 1))
    assert removed == {"students": [bob], "removed": [{"number": 1, "nickname": "Ada"}]}


def test_put_away_gives_the_lesson_back_that_a_question_covered() -> None:
    """At its screen, also after a second question and a step; not if another lesson is shown meanwhile. A question of a
    room that an earlier version stored covers nothing."""
    screen = "/learn/line?screen=2"
    room = replace(new_room(), shared=Shared("run", 3, "", screen))
    asked = rooms.ask(room, QUESTION, shared=Shared("run", 3, "select=W1.1.1"))
    assert asked.shared.lesson == ""
    for later in (asked, rooms.share(asked, Shared("run", 4)), rooms.ask(asked, QUESTION, shared=Shared("run", 3)),
                  rooms.ask(asked, QUESTION), rooms.unpack(rooms.pack(asked), room.stamp)):  # fmt: skip
        assert rooms.dismiss(later).shared == replace(later.shared, lesson=screen)
    assert rooms.dismiss(rooms.share(asked, Shared("run", 3, "", "/learn/slope"))).shared.lesson == "/learn/slope"
    assert rooms.dismiss(rooms.ask(new_room(), QUESTION)).shared.lesson == ""


def test_rooms_have_limits() -> None:
    """Students, questions, hand-ins and the length of a view."""
    room = rooms.join(new_room(), "ada", most=1)
    with pytest.raises(Refused, match="full"):
        rooms.join(room, "bob", most=1)
    assert rooms.join(room, "ada", "Ada", most=1).students["ada"].nickname == "Ada"
    with pytest.raises(Refused, match="at most 1"):
        rooms.ask(rooms.ask(room, QUESTION, most=1), QUESTION, most=1)
    with pytest.raises(Refused, match="too long"):
        rooms.share(room, Shared("run", 1, "x" * 5_000))


DEEDS = {
    "join": lambda r, who, n: rooms.join(r, who, HOSTILE[n]),
    "ask": lambda r, who, n: rooms.ask(r, QUESTION),
    "answer": lambda r, who, n: rooms.answer(r, who, r.asked, ("up", "down", "stay", "no")[n]),
    "close": lambda r, who, n: rooms.close(r, r.asked),
    "reveal": lambda r, who, n: rooms.reveal(r, r.asked),
    "dismiss": lambda r, who, n: rooms.dismiss(r),
    "share": lambda r, who, n: rooms.share(r, Shared("run", n)),
    "pace": lambda r, who, n: rooms.set_pace(r, rooms.EXPLORE if n % 2 else rooms.FOLLOW),
    "pause": lambda r, who, n: rooms.pause(r, HOSTILE[n] if n else None),
    "hand": lambda r, who, n: rooms.hand_in(r, who, "copy", n, named=bool(n)),
    "show": lambda r, who, n: rooms.show(r, n or None),
    "remove": lambda r, who, n: rooms.remove(r, n),
    "readmit": lambda r, who, n: rooms.readmit(r, n),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.sampled_from(STUDENTS), st.integers(0, 3)), max_size=40))
def test_any_course_of_a_class_keeps_its_promises(course: list[tuple[str, str, int]]) -> None:
    """Whatever is tried: the room packs and unpacks to itself, counts add up, questions are numbered in order."""
    room, told = new_room(), 0
    for what, who, n in course:
        try:
            after = DEEDS[what](room, who, n)
        except (Refused, BadQuestion):
            continue
        told += len(after.past) - len(room.past)
        room = after
        kept = rooms.unpack(rooms.pack(room), NEW.next())
        assert kept == replace(room, stamp=kept.stamp, past=())
        asked = [poll.question.number for poll in (*room.past, *([room.poll] if room.poll else []))]
        assert asked == list(range(1, room.asked + 1))
        numbers = [student.number for student in (*room.students.values(), *room.removed.values())]
        assert sorted(numbers) == list(range(1, len(numbers) + 1))
        assert not set(room.removed) & {*room.students, *(handed.student for handed in room.hand_ins)}
        if room.poll:
            bars = screens.question(room.poll, screens.TEACHER)["bars"]
            assert sum(bar["count"] for bar in bars) == len(room.poll.answers) <= len(room.students)
            assert set(room.poll.answers) <= set(room.students)


def test_any_flipped_bit_of_a_room_is_noticed() -> None:
    """In form, checksum or body, of the room and of a question that is over; and a form that is not known is told from
    damage."""
    room = rooms.ask(rooms.join(new_room(), "ada", "Ada"), QUESTION)
    packed, poll = rooms.pack(room), rooms.pack_poll(Poll(QUESTION, answers={"ada": "up"}))
    assert rooms.unpack_poll(poll).answers == {"ada": "up"}
    for value, read in ((packed, lambda value: rooms.unpack(value, NEW)), (poll, rooms.unpack_poll)):
        for place in range(8 * len(value)):
            flipped = bytearray(value)
            flipped[place // 8] ^= 1 << place % 8
            with pytest.raises(RoomDamaged):
                read(bytes(flipped))
        with pytest.raises(OtherVersion):
            read(seal(b"ROM9", value[36:]))
        for cut in (b"", value[:20], value[:-1], value + b"x"):
            with pytest.raises(RoomDamaged):
                read(cut)


def test_a_room_of_the_first_release_is_read() -> None:
    """JSON without form and checksum; one that is no longer JSON, or not of a room, is damaged all the same."""
    room = rooms.join(new_room(), "ada", "Ada")
    plain = orjson.loads(rooms.pack(room)[36:]) | {"version": 5}
    del plain["stamp"], plain["removed"]
    assert rooms.unpack(orjson.dumps(plain), NEW) == room
    for wrong in ({}, plain | {"shared": 3}, plain | {"students": {"ada": {}}}, plain | {"what": 1}):
        with pytest.raises(RoomDamaged):
            rooms.unpack(orjson.dumps(wrong), NEW)
    with pytest.raises(RoomDamaged):
        rooms.unpack(orjson.dumps(plain)[:-1], NEW)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_become_harmless_text(text: str) -> None:
    """At most 40 code points in NFC; no control, format or unpaired character; no pile of marks; encodable."""
    name = clean(text)
    assert len(name) <= 40
    assert name == unicodedata.normalize("NFC", name)
    assert all(unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn") for c in name)
    assert all(unicodedata.category(c) != "Cf" or c == "\u200d" for c in name)
    name.encode()
    assert "\u0301\u0301\u0301" not in name


def test_names_keep_what_people_write() -> None:
    """Letters of any script, and an emoji made of two with a joiner between them."""
    for name in ("Zoë", "Łukasz", "李雷", "مريم", "O'Brien", "👩\u200d🔬", "🏳️\u200d🌈", "Ada 2"):
        assert clean(name) == unicodedata.normalize("NFC", name)
    assert clean("a\u200db") == "ab"
    assert clean("  two \n words ") == "two words"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    """So a name that comes back from the store and is sent again stays as it is."""
    once = clean(text)
    assert clean(once) == once
    assert len(once) <= 40


def test_no_cell_of_a_table_is_a_formula() -> None:
    """What a spreadsheet would compute gets an apostrophe; numbers stay numbers."""
    for text in ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1"):
        assert cell(text).startswith("'")
    for text in ("-0.25", "+1e-05", "up", "3", ""):
        assert cell(text) == text
