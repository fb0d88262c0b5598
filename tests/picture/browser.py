# SPDX-License-Identifier: Apache-2.0
"""browser.py: a headless Chromium by the WebDriver protocol, with nothing but the standard library."""
import base64
import json
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request


def missing():
    """Why there is no browser to be had; "" where there is one."""
    for program, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if shutil.which(program) is None:
            return f"there is no {program} (package {package})"
    return ""


class Browser:
    def __init__(self, width=1500, height=1000, dark=False):
        self.profile = tempfile.TemporaryDirectory()
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.base = "http://127.0.0.1:" + line.rstrip(". \n").rsplit(" ", 1)[1]
                break
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
            f"--window-size={width},{height}", f"--user-data-dir={self.profile.name}", "--host-resolver-rules=MAP * ~NOTFOUND",
        ] + (["--blink-settings=preferredColorScheme=0"] if dark else [])
        wanted = {"browserName": "chrome", "goog:chromeOptions": {"args": arguments},
                  "goog:loggingPrefs": {"browser": "ALL"}}
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{answer['sessionId']}"

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(json.load(error)["value"]["message"]) from error

    def open(self, path, fragment=""):
        self.call("POST", self.session + "/url", {"url": f"file://{path}{fragment}"})

    def run(self, script, *arguments):
        """The value of a JavaScript expression, or of statements with a return. a, b, ...: the arguments."""
        names = "abcdef"[: len(arguments)]
        body = script if "return " in script else f"return ({script})"
        source = f"const [{','.join(names)}] = arguments; {body}"
        return self.call("POST", self.session + "/execute/sync", {"script": source, "args": list(arguments)})

    def wait(self, script, *arguments, seconds=10):
        """Until the expression is true."""
        until = time.monotonic() + seconds
        while not (value := self.run(script, *arguments)):
            if time.monotonic() > until:
                raise AssertionError(f"never true: {script}")
            time.sleep(0.02)
        return value

    def find(self, role, text):
        """The element with this role whose accessible name has the text; there is exactly one in sight."""
        found = []
        for element in self.call("POST", self.session + "/elements", {"using": "css selector", "value": SELECTORS[role]}):
            (reference,) = element.values()
            at = f"{self.session}/element/{reference}"
            if not self.call("GET", at + "/displayed"):
                continue
            if self.call("GET", at + "/computedrole") == role and text in self.call("GET", at + "/computedlabel"):
                found.append(at)
        assert len(found) == 1, f"{len(found)} elements are a {role} '{text}'"
        return Element(self, found[0])

    def keys(self, text):
        actions = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        self.call("POST", self.session + "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def hover(self, element):
        move = {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": element}
        self.call("POST", self.session + "/actions",
                  {"actions": [{"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move]}]})

    def element(self, selector):
        return self.call("POST", self.session + "/element", {"using": "css selector", "value": selector})

    def console(self):
        """What was printed on the console since the last call."""
        return [entry["message"] for entry in self.call("POST", self.session + "/se/log", {"type": "browser"})]

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", self.session + "/screenshot")))

    def close(self):
        try:
            self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            self.profile.cleanup()


SELECTORS = {"button": "button", "tab": "[role=tab]", "searchbox": "input[type=search]", "combobox": "select",
             "checkbox": "input[type=checkbox]", "table": "table", "row": "tr", "note": "[role=note]", "heading": "h1,h2,h3",
             "status": "[role=status]"}


class Element:
    def __init__(self, browser, at):
        self.browser = browser
        self.at = at

    def click(self):
        self.browser.call("POST", self.at + "/click", {})

    def type(self, text):
        self.browser.call("POST", self.at + "/value", {"text": text})

    def text(self):
        return self.browser.call("GET", self.at + "/text")
