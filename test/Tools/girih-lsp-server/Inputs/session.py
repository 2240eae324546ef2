# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an editor does with a .mlir file of Girih's dialects: session.py SERVER"""

import sys

from client import Client

URI = "file:///girih/session.mlir"
GOOD = """\
func.func @f(%q: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %near = girih.window left = 63 right = 0
  %causal = girih.causal
  %p = girih.intersect %near, %causal
  %o, %lse = girih.attention q(%q) k(%q) v(%q) pattern(%p)
      : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32> -> tensor<1x8x?x64xf32>, tensor<1x8x?xf32>
  return %o : tensor<1x8x?x64xf32>
}
"""


def place(text, before, what):
    """Position of the first `what` after `before`."""
    at = text.index(what, text.index(before))
    line = text.count("\n", 0, at)
    return {"line": line, "character": at - (text.rfind("\n", 0, at) + 1)}


def expect(what, wanted, got):
    assert wanted == got, f"{what}: expected {wanted!r}, but got {got!r}"
    print(f"{what}: good")


class Document:
    """A file that the server has open."""

    def __init__(self, client, text):
        self.client, self.text, self.version = client, text, 1
        client.notify("textDocument/didOpen", textDocument={
            "uri": URI, "languageId": "mlir", "version": 1, "text": text})  # fmt: skip

    def change(self, text):
        self.text, self.version = text, self.version + 1
        self.client.notify("textDocument/didChange", textDocument={"uri": URI, "version": self.version},
                           contentChanges=[{"text": text}])  # fmt: skip

    def diagnostics(self):
        published = self.client.notification("textDocument/publishDiagnostics")
        expect("diagnostics are of this file", (URI, self.version), (published["uri"], published["version"]))
        return published["diagnostics"]

    def ask(self, method, before, what, **params):
        """Asks about the first `what` after `before`."""
        response = self.client.ask(f"textDocument/{method}", textDocument={"uri": URI},
                                   position=place(self.text, before, what), **params)  # fmt: skip
        assert "error" not in response, response
        return response["result"]

    def expect_error(self, what, before, token, message):
        """One error, at `token` after `before`, that says `message`."""
        found = self.diagnostics()
        expect(f"{what}: one error", [1], [d["severity"] for d in found])
        expect(f"{what}: starts at {token!r}", place(self.text, before, token), found[0]["range"]["start"])
        end = place(self.text, before, token)
        end["character"] += len(token)
        expect(f"{what}: ends behind it", end, found[0]["range"]["end"])
        assert message in found[0]["message"], f"{what}: expected {message!r}, but got {found[0]['message']!r}"


def session(client):
    answer = client.ask("initialize", processId=None, rootUri=None, capabilities={})
    capabilities = answer["result"]["capabilities"]
    for name in ("hoverProvider", "definitionProvider", "referencesProvider"):
        expect(name, True, bool(capabilities.get(name)))
    client.notify("initialized")

    document = Document(client, GOOD)
    expect("a good file has no diagnostics", [], document.diagnostics())

    hover = document.ask("hover", "%o, %lse", "girih.attention")["contents"]["value"]
    expect("hover names the op", True, '"girih.attention"' in hover)
    hover = document.ask("hover", "%near =", "girih.window")["contents"]["value"]
    expect("hover prints the op", True, '"girih.window"' in hover and "left = 63" in hover)

    definition = document.ask("definition", "girih.attention", "%p")
    expect("a value leads to its op", place(GOOD, "", "%p ="), definition[0]["range"]["start"])
    uses = document.ask("references", "%q:", "%q", context={"includeDeclaration": False})
    expect("an argument has three uses", 3, len([u for u in uses if u["range"]["start"]["line"] == 4]))

    # What is wrong is marked where it stands, while one types.
    document.change(GOOD.replace("girih.causal", "girih.casual"))
    document.expect_error("unknown op", "%causal =", "girih.casual", "custom op 'girih.casual' is unknown")
    document.change(GOOD.replace("left = 63", "left = -1"))
    document.expect_error("broken constraint", "%near =", "girih.window", "whose value is non-negative")
    document.change(GOOD.replace("q(%q)", "q(%nobody)"))
    document.expect_error("undefined value", "q(", "%nobody", "use of undeclared SSA value name")
    document.change(GOOD)
    expect("mended, it has none", [], document.diagnostics())

    document.change(GOOD.replace("girih.causal", "girih."))
    document.diagnostics()
    found = document.ask("completion", "%causal =", "\n")
    labels = {item["label"] for item in found["items"]}
    expect("completion offers the dialect's ops", True, {"causal", "window", "attention"} <= labels)

    expect("an unknown method is refused", -32601, client.ask("girih/none")["error"]["code"])
    client.notify("textDocument/didClose", textDocument={"uri": URI})
    expect("a closed file has no diagnostics", [], client.notification("textDocument/publishDiagnostics")["diagnostics"])
    expect("shutdown", None, client.ask("shutdown").get("result", "no result"))
    client.notify("exit")
    expect("exit code after shutdown", 0, client.end())


def main():
    client = Client([sys.argv[1]])
    try:
        session(client)
    finally:
        client.kill()
    client = Client([sys.argv[1]])
    try:
        client.notify("exit")
        expect("exit code without shutdown", 1, client.end())
    finally:
        client.kill()


main()
