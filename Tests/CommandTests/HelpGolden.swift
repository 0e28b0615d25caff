import Testing

/// What each command prints as its help, at 80 columns: a change of it is to be seen in a review.
enum HelpGolden {
  struct Page: Sendable, CustomTestStringConvertible {
    /// The command below `dtx`; empty for `dtx` itself.
    var command: String
    var text: String

    var testDescription: String { "dtx \(command)" }
  }

  static let pages = [
    root, push, pull, plan, verify, status, manifest, create, show, diff, receipt, receiptShow,
    receiptVerify, report, set, simulate, serve,
  ]

  private static let root = Page(
    command: "",
    text: """
      OVERVIEW: Move datasets between sites, in blocks, on lanes, resumable.

      A place is a path on this machine, or [user@]host:path, which ssh leads to.
      Rates are in bits per second (100G, 50Mbit), sizes in bytes (64MiB, 72TB).

      USAGE: dtx <subcommand>

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      SUBCOMMANDS:
        push                    Move datasets from this machine to another place.
        pull                    Move a dataset from another place to this machine.
        plan                    Say when a transfer would be done, and change nothing.
        verify                  Read a tree back and compare it with its manifest.
        status                  Say how far the transfers into a destination are.
        manifest                Make, show and compare manifests.
        receipt                 Show and check receipts.
        report                  Write a receipt as a page with pictures.
        set                     Change the rate of a transfer that runs, or pause it.
        simulate                Say how a transfer would go, in virtual time.
        serve                   Be the far end of a transfer: push and pull start
                                this through ssh.

        See 'dtx help <subcommand>' for detailed help.
      """
  )

  private static let push = Page(
    command: "push",
    text: """
      OVERVIEW: Move datasets from this machine to another place.

      A source with a trailing slash stands for its contents, as with rsync. Run the
      same command again to resume a transfer that broke off.

      Examples:
        dtx push /data/run7/ archive:/mnt/run7
        dtx push --rate 10G --lanes 2 a.fits b.fits me@archive:incoming

      USAGE: dtx push [<options>] <source> ... <destination>

      ARGUMENTS:
        <path>                  The sources, and last the destination: a path or
                                [user@]host:path.

      TRANSFER:
        -n, --dry-run           Compare and plan, say what would be moved, change
                                nothing.
        --checksum              Compare digests instead of trusting size and time.
        --block-size <size>     Size of a block, in bytes. (default: 16MiB)
        --compress <mode>       Compress blocks: auto, where it pays, off, or a level
                                from 1 to 19. (default: auto)
        --owner/--no-owner      Keep user and group. (default: as root alone)
        --verify <level>        How far the result is proven: memory, durable or
                                media. (default: durable)
        --on-change <policy>    When a source file changes: fail, retry or skip.
                                (default: skip)
        --io <mode>             How large files are read and written: auto, buffered,
                                direct or ring. (default: auto)
        --source-null <size>    Send a made-up dataset of this size instead of a
                                source.
        --sink-null             Receive and check everything, and keep nothing of it.
        --state-dir <dir>       Keep state here instead of in the destination's .dtx.

      WHICH ENTRIES:
        --exclude <pattern>     Leave out entries that match.
        --include <pattern>     Keep entries that match, whatever a later rule says.
        --exclude-from <file>   Read patterns to leave out, one a line.
        --include-from <file>   Read patterns to keep, one a line.

      LANES:
        --lanes <n>             Number of lanes. (default: 4, locally no more than
                                processors)
        --rate <rate>           Rate of all lanes together, in bits per second on the
                                wire: 10G, 50Mbit.
        --lane <lane>           A lane of its own:
                                rate=2G[,reserved][,name=x][,bind=192.0.2.7]... May
                                be repeated; excludes --lanes and --rate.
        --lanes-file <file>     Read lanes of their own from this file, in TOML.
        --deadline <time>       Move nothing unless the plan is done by then: 2h, or
                                2026-11-23T18:00:00Z.
        --listen <end>          End that listens for lanes, while the other one
                                connects: local or remote. (default: remote)
        --port <ports>          Port, or range of ports, that the end that listens
                                may have: 5000-5009. (default: any)
        --lane-host <host>      Host to connect lanes to, instead of ssh's.
        --allow-ssh-lanes       Go on with one lane through ssh where no port can be
                                reached, despite a rate.
        --cipher <cipher>       aes-256-gcm, or none for a path that is trusted.
                                (default: aes-256-gcm; within one machine none)

      CAPACITY:
        --capacity <rate>       Rate that the lanes of all transfers on this host may
                                have together.
        --wait                  Wait until others have given back what is missing of
                                the capacity.
        --wait-limit <time>     Wait so long at most: 30m.

      FAR END:
        -e, --rsh <command>     Remote shell and its options: 'ssh -p 2222'.
        --dtx-path <path>       The program dtx at the far end.
        --bootstrap             Copy this program to the far end where it has none,
                                or another version.

      OUTPUT:
        -v, --verbose           List the entries that are moved, made or changed.
        -q, --quiet             Print errors alone.
        --json                  Print events and the summary as JSON lines.

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let pull = Page(
    command: "pull",
    text: """
      OVERVIEW: Move a dataset from another place to this machine.

      A source with a trailing slash stands for its contents, as with rsync. Run the
      same command again to resume a transfer that broke off.

      Examples:
        dtx pull archive:/mnt/run7/ /data/run7
        dtx pull -e 'ssh -p 2222' me@archive:incoming/a.fits .

      USAGE: dtx pull [<options>] <source> <destination>

      ARGUMENTS:
        <source>                Where the dataset is: a path or [user@]host:path.
        <destination>           Where it shall be, on this machine.

      TRANSFER:
        -n, --dry-run           Compare and plan, say what would be moved, change
                                nothing.
        --checksum              Compare digests instead of trusting size and time.
        --block-size <size>     Size of a block, in bytes. (default: 16MiB)
        --compress <mode>       Compress blocks: auto, where it pays, off, or a level
                                from 1 to 19. (default: auto)
        --owner/--no-owner      Keep user and group. (default: as root alone)
        --verify <level>        How far the result is proven: memory, durable or
                                media. (default: durable)
        --on-change <policy>    When a source file changes: fail, retry or skip.
                                (default: skip)
        --io <mode>             How large files are read and written: auto, buffered,
                                direct or ring. (default: auto)
        --source-null <size>    Send a made-up dataset of this size instead of a
                                source.
        --sink-null             Receive and check everything, and keep nothing of it.
        --state-dir <dir>       Keep state here instead of in the destination's .dtx.

      WHICH ENTRIES:
        --exclude <pattern>     Leave out entries that match.
        --include <pattern>     Keep entries that match, whatever a later rule says.
        --exclude-from <file>   Read patterns to leave out, one a line.
        --include-from <file>   Read patterns to keep, one a line.

      LANES:
        --lanes <n>             Number of lanes. (default: 4, locally no more than
                                processors)
        --rate <rate>           Rate of all lanes together, in bits per second on the
                                wire: 10G, 50Mbit.
        --lane <lane>           A lane of its own:
                                rate=2G[,reserved][,name=x][,bind=192.0.2.7]... May
                                be repeated; excludes --lanes and --rate.
        --lanes-file <file>     Read lanes of their own from this file, in TOML.
        --deadline <time>       Move nothing unless the plan is done by then: 2h, or
                                2026-11-23T18:00:00Z.
        --listen <end>          End that listens for lanes, while the other one
                                connects: local or remote. (default: remote)
        --port <ports>          Port, or range of ports, that the end that listens
                                may have: 5000-5009. (default: any)
        --lane-host <host>      Host to connect lanes to, instead of ssh's.
        --allow-ssh-lanes       Go on with one lane through ssh where no port can be
                                reached, despite a rate.
        --cipher <cipher>       aes-256-gcm, or none for a path that is trusted.
                                (default: aes-256-gcm; within one machine none)

      CAPACITY:
        --capacity <rate>       Rate that the lanes of all transfers on this host may
                                have together.
        --wait                  Wait until others have given back what is missing of
                                the capacity.
        --wait-limit <time>     Wait so long at most: 30m.

      FAR END:
        -e, --rsh <command>     Remote shell and its options: 'ssh -p 2222'.
        --dtx-path <path>       The program dtx at the far end.
        --bootstrap             Copy this program to the far end where it has none,
                                or another version.

      OUTPUT:
        -v, --verbose           List the entries that are moved, made or changed.
        -q, --quiet             Print errors alone.
        --json                  Print events and the summary as JSON lines.

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let plan = Page(
    command: "plan",
    text: """
      OVERVIEW: Say when a transfer would be done, and change nothing.

      Scans the source and compares it with the destination as push and pull would,
      whose options it takes, and plans all that is missing there on lanes with
      rates. With --bytes it plans a dataset that nobody has yet.

      Examples:
        dtx plan --rate 10G --deadline 2h /data/run7/ archive:/mnt/run7
        dtx plan --bytes 72TB --files 36000 --rate 100G --mtu 9000 --rtt 12ms

      USAGE: dtx plan [<options>] <source> ... <destination>
             dtx plan [<options>] --bytes <size> [--files <n>]

      ARGUMENTS:
        <path>                  The sources, and last the destination: a path or
                                [user@]host:path.

      A DATASET TO COME:
        --bytes <size>          Plan a dataset of this size instead of a source.
        --files <n>             Number of files that it is in. (default: 1)
        --rtt <time>            Round-trip time of its path: 12ms.
        --mtu <bytes>           Bytes of a packet on its path. (default: 1500)

      TRANSFER:
        -n, --dry-run           Compare and plan, say what would be moved, change
                                nothing.
        --checksum              Compare digests instead of trusting size and time.
        --block-size <size>     Size of a block, in bytes. (default: 16MiB)
        --compress <mode>       Compress blocks: auto, where it pays, off, or a level
                                from 1 to 19. (default: auto)
        --owner/--no-owner      Keep user and group. (default: as root alone)
        --verify <level>        How far the result is proven: memory, durable or
                                media. (default: durable)
        --on-change <policy>    When a source file changes: fail, retry or skip.
                                (default: skip)
        --io <mode>             How large files are read and written: auto, buffered,
                                direct or ring. (default: auto)
        --source-null <size>    Send a made-up dataset of this size instead of a
                                source.
        --sink-null             Receive and check everything, and keep nothing of it.
        --state-dir <dir>       Keep state here instead of in the destination's .dtx.

      WHICH ENTRIES:
        --exclude <pattern>     Leave out entries that match.
        --include <pattern>     Keep entries that match, whatever a later rule says.
        --exclude-from <file>   Read patterns to leave out, one a line.
        --include-from <file>   Read patterns to keep, one a line.

      LANES:
        --lanes <n>             Number of lanes. (default: 4, locally no more than
                                processors)
        --rate <rate>           Rate of all lanes together, in bits per second on the
                                wire: 10G, 50Mbit.
        --lane <lane>           A lane of its own:
                                rate=2G[,reserved][,name=x][,bind=192.0.2.7]... May
                                be repeated; excludes --lanes and --rate.
        --lanes-file <file>     Read lanes of their own from this file, in TOML.
        --deadline <time>       Move nothing unless the plan is done by then: 2h, or
                                2026-11-23T18:00:00Z.
        --listen <end>          End that listens for lanes, while the other one
                                connects: local or remote. (default: remote)
        --port <ports>          Port, or range of ports, that the end that listens
                                may have: 5000-5009. (default: any)
        --lane-host <host>      Host to connect lanes to, instead of ssh's.
        --allow-ssh-lanes       Go on with one lane through ssh where no port can be
                                reached, despite a rate.
        --cipher <cipher>       aes-256-gcm, or none for a path that is trusted.
                                (default: aes-256-gcm; within one machine none)

      CAPACITY:
        --capacity <rate>       Rate that the lanes of all transfers on this host may
                                have together.
        --wait                  Wait until others have given back what is missing of
                                the capacity.
        --wait-limit <time>     Wait so long at most: 30m.

      FAR END:
        -e, --rsh <command>     Remote shell and its options: 'ssh -p 2222'.
        --dtx-path <path>       The program dtx at the far end.
        --bootstrap             Copy this program to the far end where it has none,
                                or another version.

      OUTPUT:
        -v, --verbose           List the entries that are moved, made or changed.
        -q, --quiet             Print errors alone.
        --json                  Print events and the summary as JSON lines.

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let verify = Page(
    command: "verify",
    text: """
      OVERVIEW: Read a tree back and compare it with its manifest.

      Names each file that differs or is missing, and the blocks in which it differs.
      The exit status is 3 if there is any. Owner, mode and time are told, and change
      no status. With --repair blocks that differ are fetched from the source,
      checked by the manifest, and written in their places; the source is named as
      the transfer named it.

      Examples:
        dtx verify /data/run7
        dtx verify --repair archive:/mnt/run7/ /data/run7

      USAGE: dtx verify <directory> [--against <path>] [--level <level>] [--repair <source>] [--rsh <command>] [--dtx-path <path>] [--bootstrap] [--verbose] [--quiet] [--json]

      ARGUMENTS:
        <directory>             The tree.

      FAR END:
        -e, --rsh <command>     Remote shell and its options: 'ssh -p 2222'.
        --dtx-path <path>       The program dtx at the far end.
        --bootstrap             Copy this program to the far end where it has none,
                                or another version.

      OPTIONS:
        --against <path>        A manifest, or a tree with one in its .dtx, instead
                                of the tree's own.
        --level <level>         Where the bytes come from: media, past the page
                                cache, or memory, through it. (default: past it where
                                that can be)
        --repair <source>       Fetch the blocks that differ from here: a path or
                                [user@]host:path.
        -v, --verbose           List entries of other metadata, and those that the
                                manifest lacks.
        -q, --quiet             Print errors and what differs alone.
        --json                  Print events and the summary as JSON lines.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let status = Page(
    command: "status",
    text: """
      OVERVIEW: Say how far the transfers into a destination are.

      Lists each session that left something in the destination's .dtx: finished,
      running, or broken off, with what is durable of it.

      USAGE: dtx status <directory> [--discard] [--state-dir <dir>] [--json]

      ARGUMENTS:
        <directory>             The destination.

      OPTIONS:
        --discard               Remove what sessions left that broke off; nothing
                                that was finished is touched.
        --state-dir <dir>       Where the state is kept instead of in .dtx.
        --json                  Print JSON lines.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let manifest = Page(
    command: "manifest",
    text: """
      OVERVIEW: Make, show and compare manifests.

      A manifest names a dataset's entries and the digest of every part of its files.

      USAGE: dtx manifest <subcommand>

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      SUBCOMMANDS:
        create                  Read a tree and write its manifest.
        show                    Print a manifest.
        diff                    Compare two manifests.

        See 'dtx help manifest <subcommand>' for detailed help.
      """
  )

  private static let create = Page(
    command: "manifest create",
    text: """
      OVERVIEW: Read a tree and write its manifest.

      Without -o it is kept in the tree's .dtx, where verify finds it.

      USAGE: dtx manifest create [<options>] <directory>

      ARGUMENTS:
        <directory>             The tree.

      WHICH ENTRIES:
        --exclude <pattern>     Leave out entries that match.
        --include <pattern>     Keep entries that match, whatever a later rule says.
        --exclude-from <file>   Read patterns to leave out, one a line.
        --include-from <file>   Read patterns to keep, one a line.

      OPTIONS:
        -o, --output <file>     Write the manifest to this file.
        --block-size <size>     Size of a block, in bytes. (default: 16MiB)
        -q, --quiet             Print errors alone.
        --json                  Print events and the summary as JSON lines.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let show = Page(
    command: "manifest show",
    text: """
      OVERVIEW: Print a manifest.

      An entry is a line: kind, mode, user and group, length, time, digest, path. A
      file that was cut into several extents has a digest each, which --json prints.

      USAGE: dtx manifest show <path> [--json]

      ARGUMENTS:
        <path>                  A manifest, or a tree with one in its .dtx.

      OPTIONS:
        --json                  Print JSON lines.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let diff = Page(
    command: "manifest diff",
    text: """
      OVERVIEW: Compare two manifests.

      A line for each entry that is not the same: '+' added, '-' removed, '~'
      changed, '?' where a digest is missing. As with diff(1) the exit status is 0
      for the same, 1 for different, 2 for trouble.

      USAGE: dtx manifest diff <old> <new>

      ARGUMENTS:
        <old>                   The old manifest, or a tree with one in its .dtx.
        <new>                   The new one.

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let receipt = Page(
    command: "receipt",
    text: """
      OVERVIEW: Show and check receipts.

      A receipt says what a transfer moved, how, and how well the lanes kept their
      rates. Both ends sign it, each with a key of its user's that is made at first
      use.

      USAGE: dtx receipt <subcommand>

      OPTIONS:
        --version               Show the version.
        -h, --help              Show help information.

      SUBCOMMANDS:
        show                    Print a receipt.
        verify                  Check a receipt, and the manifest and a tree by it.

        See 'dtx help receipt <subcommand>' for detailed help.
      """
  )

  private static let receiptShow = Page(
    command: "receipt show",
    text: """
      OVERVIEW: Print a receipt.

      What each lane did from second to second is printed by --json.

      USAGE: dtx receipt show <path> [--json]

      ARGUMENTS:
        <path>                  A receipt, or a tree with one in its .dtx.

      OPTIONS:
        --json                  Print it as one JSON line.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let receiptVerify = Page(
    command: "receipt verify",
    text: """
      OVERVIEW: Check a receipt, and the manifest and a tree by it.

      Both signatures must be there and hold. The manifest beside the receipt, or the
      one that --manifest names, must have the root that both ends sealed, and the
      tree must be what the manifest says. The exit status is 3 if anything is
      otherwise.

      USAGE: dtx receipt verify <path> [<tree>] [--manifest <path>] [--key <file> ...] [--json]

      ARGUMENTS:
        <path>                  A receipt, or a tree with one in its .dtx.
        <tree>                  A tree to read back.

      OPTIONS:
        --manifest <path>       The manifest, instead of the one beside the receipt.
        --key <file>            The public key of an end (its identity.pub); repeat
                                it. Then no other key will do.
        --json                  Print JSON lines.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let report = Page(
    command: "report",
    text: """
      OVERVIEW: Write a receipt as a page with pictures.

      The page is one HTML file that needs nothing else: what each lane delivered
      against its rate, progress against the plan, what held lanes up, and all
      figures.

      USAGE: dtx report <path> [--output <file>]

      ARGUMENTS:
        <path>                  A receipt, or a tree with one in its .dtx.

      OPTIONS:
        -o, --output <file>     Write the page to this file, not to standard output.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let set = Page(
    command: "set",
    text: """
      OVERVIEW: Change the rate of a transfer that runs, or pause it.

      A session is named by its process number. Without one, the only transfer that
      this user runs on this machine is meant; without anything to change, those that
      run are listed.

      USAGE: dtx set [<session>] [--rate <rate>] [--pause] [--resume] [--json]

      ARGUMENTS:
        <session>               The process number of the push or pull.

      OPTIONS:
        --rate <rate>           Rate of all lanes together from now on.
        --pause                 Begin no block until --resume; what is under way
                                arrives.
        --resume                Go on after --pause.
        --json                  Print JSON lines.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let simulate = Page(
    command: "simulate",
    text: """
      OVERVIEW: Say how a transfer would go, in virtual time.

      Runs what decides in a real transfer over a path, hosts and disks that a
      scenario describes: one that comes with the program, or a file. No byte is
      moved and no network is touched.

      Examples:
        dtx simulate fast-72tb
        dtx simulate fast-72tb --fault power-loss
        dtx simulate --print fast-72tb > mine.scenario && dtx simulate ./mine.scenario

      USAGE: dtx simulate [<scenario>] [--list] [--print] [--fault <fault> ...] [--seed <number>] [--json]

      ARGUMENTS:
        <scenario>              The name of a built-in scenario, or a file.

      OPTIONS:
        --list                  List the built-in scenarios and the faults.
        --print                 Print a scenario's text instead of simulating it.
        --fault <fault>         Let something go wrong; may be repeated.
        --seed <number>         Draw by this number instead of the scenario's.
        --json                  Print JSON lines.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )

  private static let serve = Page(
    command: "serve",
    text: """
      OVERVIEW: Be the far end of a transfer: push and pull start this through ssh.

      In authorized_keys this restricts a key to fetching from one directory, or to
      adding to one:
        restrict,command="dtx serve --stdio --root /data --read-only" ssh-...
        restrict,command="dtx serve --stdio --root /archive --append-only" ssh-...

      USAGE: dtx serve --stdio [--root <dir>] [--read-only|--append-only] [--state-dir <dir>]

      OPTIONS:
        --stdio                 Talk on the standard streams; the only way there is.
        --root <dir>            Serve nothing outside this directory.
        --read-only             Send, but receive nothing.
        --append-only           Receive what is new, change nothing that is there,
                                and send nothing.
        --state-dir <dir>       Keep state here instead of in the destination's .dtx.
        --version               Show the version.
        -h, --help              Show help information.

      """
  )
}
