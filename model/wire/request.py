"""A chat-completions request in both directions: OpenAI's JSON and our messages and options."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from model.chat import GenerateOptions, ImagePart, Message, Part, Role, TextPart
from model.wire import Json
from model.wire.errors import RequestError

MAX_STOP_STRINGS = 16
MAX_MESSAGES = 4096

OpenPicture = Callable[[str, str], Image.Image]

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}

# Parameters that would change the answer in a way this engine cannot, with the values that ask for nothing.
_NEUTRAL: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "prompt_logprobs": (0, False),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "repetition_penalty": (1,),
    "length_penalty": (1,),
    "top_k": (0, -1),
    "min_p": (0,),
    "min_tokens": (0,),
    "ignore_eos": (False,),
    "stop_token_ids": ([],),
    "bad_words": ([],),
    "use_beam_search": (False,),
    "response_format": ({"type": "text"},),
    "structured_outputs": ({},),
    "guided_json": (),
    "guided_regex": (),
    "guided_choice": ([],),
    "guided_grammar": (),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
    "chat_template": (),
    "documents": ([],),
}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A parsed request. ``echo`` asks for ``options.prefix`` in the answer, as vLLM does."""

    messages: tuple[Message, ...]
    options: GenerateOptions
    model: str | None = None
    stream: bool = False
    include_usage: bool = False
    echo: bool = False


def parse_chat_request(body: object, open_picture: OpenPicture) -> ChatRequest:
    """Check a decoded request body and convert it.

    ``open_picture(url, where)`` turns a picture's URL into an image. Parameters of the OpenAI API
    that change nothing here are ignored; those this engine cannot honour are refused rather than
    dropped. Raises `RequestError` naming the parameter.
    """
    if not isinstance(body, dict):
        raise RequestError(
            "the request body is not a JSON object", remedy='send {"messages": […]}', code="invalid_json"
        )
    for name, neutral in _NEUTRAL.items():
        value = body.get(name)
        if value is not None and value not in neutral:
            raise RequestError(
                f"'{name}' is not supported",
                why="this server writes one plain-text answer by temperature, top_p and seed",
                remedy=f"leave '{name}' out",
                code="unsupported_parameter",
                param=name,
            )
    raw_messages = body.get("messages")
    if not isinstance(raw_messages, list) or not 1 <= len(raw_messages) <= MAX_MESSAGES:
        raise _bad("messages", f"must be a list of 1 to {MAX_MESSAGES} messages")
    messages = [_message(raw, f"messages[{index}]", open_picture) for index, raw in enumerate(raw_messages)]
    prefix = ""
    if _boolean(body, "continue_final_message"):
        if _boolean(body, "add_generation_prompt"):
            raise _bad("add_generation_prompt", "contradicts 'continue_final_message'; set one of them to false")
        prefix = _final_prefix(messages.pop())
        if not messages:
            raise _bad("messages", "must hold a message before the one to be continued")
    elif body.get("add_generation_prompt") is False:
        raise _bad("add_generation_prompt", "can be false only with 'continue_final_message': true")
    model = body.get("model")
    if model is not None and not isinstance(model, str):
        raise _bad("model", "must be a string")
    stream_options = _object(body, "stream_options", ("include_usage", "continuous_usage_stats", "include_obfuscation"))
    return ChatRequest(
        messages=tuple(messages),
        options=_options(body, prefix),
        model=model or None,
        stream=_boolean(body, "stream"),
        include_usage=_boolean(stream_options, "include_usage"),
        echo=_boolean(body, "echo"),
    )


def _options(body: Json, prefix: str) -> GenerateOptions:
    longest = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    max_tokens = _integer(body, longest, 1, 1 << 31)
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(stops, list) or len(stops) > MAX_STOP_STRINGS or not all(isinstance(s, str) and s for s in stops):
        raise _bad("stop", f"must be a string or a list of at most {MAX_STOP_STRINGS} strings, none of them empty")
    processor = _object(body, "mm_processor_kwargs", ("in_token_limit",))
    return GenerateOptions(
        max_tokens=GenerateOptions().max_tokens if max_tokens is None else max_tokens,
        temperature=_number(body, "temperature", 0.0, 2.0),
        top_p=_number(body, "top_p", 1e-6, 1.0),
        seed=_integer(body, "seed", -(1 << 63), (1 << 63) - 1),
        stop=tuple(_text(text, "stop") for text in stops),
        prefix=prefix,
        image_token_limit=_integer(processor, "in_token_limit", 1, 1 << 20),
    )


def _message(raw: object, where: str, open_picture: OpenPicture) -> Message:
    if not isinstance(raw, dict):
        raise _bad(where, "must be an object with 'role' and 'content'")
    role = raw.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise _bad(f"{where}.role", f"is {role!r}; known are {', '.join(_ROLES)}")
    if raw.get("tool_calls") or raw.get("function_call"):
        raise _bad(f"{where}.tool_calls", "is not supported by this model")
    content = raw.get("content")
    if content is None and role == "assistant":
        content = ""
    if isinstance(content, str):
        return Message(_ROLES[role], (TextPart(_text(content, f"{where}.content")),))
    if not isinstance(content, list) or not content:
        raise _bad(f"{where}.content", "must be a string or a list of parts")
    parts = [_part(part, f"{where}.content[{index}]", open_picture) for index, part in enumerate(content)]
    return Message(_ROLES[role], tuple(parts))


def _part(raw: object, where: str, open_picture: OpenPicture) -> Part:
    if not isinstance(raw, dict):
        raise _bad(where, "must be an object with a 'type'")
    match raw.get("type"):
        case "text" if isinstance(raw.get("text"), str):
            return TextPart(_text(raw["text"], f"{where}.text"))
        case "text":
            raise _bad(f"{where}.text", "must be a string")
        case "image_url":
            holder = raw.get("image_url")
            url = holder.get("url") if isinstance(holder, dict) else holder
            if not isinstance(url, str):
                raise _bad(f"{where}.image_url", "must be an object with a string 'url'")
            return ImagePart(open_picture(url, where))
        case other:
            raise _bad(f"{where}.type", f"is {other!r}; known are text and image_url")


def _final_prefix(final: Message) -> str:
    if final.role != "assistant" or any(isinstance(part, ImagePart) for part in final.parts):
        raise _bad("continue_final_message", "needs a last message of the assistant, of text alone")
    return final.text


def _text(text: str, where: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _bad(where, "holds half a surrogate pair, which is not a character") from error
    return text


def _bad(param: str, why: str) -> RequestError:
    return RequestError(f"'{param}' {why}", code="invalid_value", param=param)


def _boolean(body: Json, name: str) -> bool:
    value = body.get(name)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise _bad(name, f"must be true or false, not {value!r}")
    return value


def _integer(body: Json, name: str, low: int, high: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _bad(name, f"must be a whole number in {low}..{high}, not {_short(value)}")
    return value


def _number(body: Json, name: str, low: float, high: float) -> float | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise _bad(name, f"must be a number in {low:g}..{high:g}, not {_short(value)}")
    return float(value)


def _object(body: Json, name: str, known: Sequence[str]) -> Json:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict) or not set(value) <= set(known):
        raise _bad(name, f"must be an object of {', '.join(known)} and nothing else")
    return value


def _short(value: object) -> str:
    return repr(value)[:80]


def chat_request_json(
    messages: Sequence[Message],
    options: GenerateOptions,
    picture_url: Callable[[ImagePart], str],
) -> Json:
    """Write a request body, less ``model`` and ``stream``.

    ``options.prefix`` and ``options.image_token_limit`` take vLLM's names for them; a parameter
    left at None is not sent, so that the server's own default holds.
    """
    body: Json = {
        "messages": [_message_json(message, picture_url) for message in messages],
        "max_tokens": options.max_tokens,
    }
    optional: dict[str, Any] = {
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "stop": list(options.stop) or None,
    }
    if options.prefix:
        body["messages"].append({"role": "assistant", "content": options.prefix})
        body["continue_final_message"] = True
        body["add_generation_prompt"] = False
    if options.image_token_limit is not None:
        body["mm_processor_kwargs"] = {"in_token_limit": options.image_token_limit}
    return body | {name: value for name, value in optional.items() if value is not None}


def _message_json(message: Message, picture_url: Callable[[ImagePart], str]) -> Json:
    if len(message.parts) == 1 and isinstance(message.parts[0], TextPart):
        return {"role": message.role, "content": message.parts[0].text}
    return {
        "role": message.role,
        "content": [
            {"type": "text", "text": part.text}
            if isinstance(part, TextPart)
            else {"type": "image_url", "image_url": {"url": picture_url(part)}}
            for part in message.parts
        ],
    }
