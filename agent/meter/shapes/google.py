"""What may be asked of Gemini.

Google takes each name in two spellings. OpenClaw writes the one with capitals; the one with lines
below is among what is not known here.
"""

from agent.meter.shapes.base import (
    anything,
    each,
    fields,
    flag,
    image_type,
    number,
    one_of,
    picture,
    text,
    tools,
    whole,
)

INLINE = fields({"mimeType": image_type, "data": picture})
CALL = fields({"id": text, "name": text, "args": anything})
RESPONSE = whole(
    {
        "id": text,
        "name": text,
        "response": anything,
        "parts": each(whole({"inlineData": INLINE})),
    }
)
PART = whole(
    {
        "text": text,
        "thought": flag,
        "thoughtSignature": text,
        "inlineData": INLINE,
        "functionCall": CALL,
        "functionResponse": RESPONSE,
    }
)
CONTENT = fields({"role": one_of("user", "model", "system", "function"), "parts": each(PART)})
DECLARATION = fields(
    {
        "name": text,
        "description": text,
        "parameters": anything,
        "parametersJsonSchema": anything,
    }
)
REQUEST = fields(
    {
        "contents": each(CONTENT),
        "systemInstruction": CONTENT,
        "tools": tools(
            lambda tool: "functionDeclarations" in tool,
            fields({"functionDeclarations": each(DECLARATION)}),
        ),
        "toolConfig": fields(
            {"functionCallingConfig": fields({"mode": text, "allowedFunctionNames": each(text)})}
        ),
        "generationConfig": fields(
            {
                "maxOutputTokens": number,
                "temperature": number,
                "topP": number,
                "topK": number,
                "stopSequences": each(text),
                "thinkingConfig": fields(
                    {"includeThoughts": flag, "thinkingBudget": number, "thinkingLevel": text}
                ),
            }
        ),
    }
)
