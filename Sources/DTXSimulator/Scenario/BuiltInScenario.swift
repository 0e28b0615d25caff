/// A scenario that comes with the program, as the text that its user could have written.
package struct BuiltInScenario: Equatable, Sendable {
  package let name: String
  package let text: String

  package static let all = [fast, fastTwoLanes, publicInternet, petabyte]

  package static func named(_ name: String) -> BuiltInScenario? {
    all.first { $0.name == name }
  }

  package func scenario() throws(ScenarioError) -> Scenario {
    try Scenario(parsing: text)
  }

  private static let fast = BuiltInScenario(
    name: "fast-72tb",
    text: """
      title = "72 TB from the FAST telescope, 1000 km, one reserved lane on 100GE"
      seed = 1
      block-size = "64MiB"

      """ + telescope + """

        [[lane]]
        name = "a"
        rate = "100G"
        reserved = true

        """ + ports
  )

  private static let fastTwoLanes = BuiltInScenario(
    name: "fast-72tb-two-lanes",
    text: """
      title = "72 TB from the FAST telescope, 1000 km, two reserved 50G lanes on 100GE"
      seed = 1
      block-size = "64MiB"

      """ + telescope + """

        [[lane]]
        name = "a"
        rate = "50G"
        reserved = true

        [[lane]]
        name = "b"
        rate = "50G"
        reserved = true

        """ + ports
  )

  private static let telescope = """

    [dataset]
    bytes = "72TB"
    files = 36000

    """ + hosts + """

      [path]
      delay = "5.5ms"   # 1000 km of fibre, not as the crow flies
      rate = "100G"
      mtu = 9000

      """

  /// Data transfer nodes: a core seals, digests and hands over 1.7 GB/s.
  private static let hosts = """

    [sender]
    cores = 32
    cipher = "5GB/s"
    digest = "20GB/s"
    copy = "3GB/s"
    read = "30GB/s"
    entries-per-second = 10000

    [receiver]
    cores = 32
    cipher = "5GB/s"
    digest = "20GB/s"
    copy = "3GB/s"
    read = "30GB/s"
    write = "30GB/s"
    sync = "40ms"
    entries-per-second = 10000

    """

  private static let ports = """

    [[variant]]
    name = "ideal"

    [[variant]]
    name = "with headroom, 96 %"   # operators plan with 95 to 97 %
    rate = "96%"

    [[variant]]
    name = "two ports"
    ports = 2

    """

  private static let publicInternet = BuiltInScenario(
    name: "public-internet",
    text: """
      title = "72 TB over the public internet: Reno, 30 ms, one packet in 410 lost"
      seed = 1
      block-size = "64MiB"

      [dataset]
      bytes = "72TB"
      files = 36000

      [path]
      delay = "15ms"
      rate = "1G"
      mtu = 1500
      loss = "0.244%"
      congestion = "reno"

      [[lane]]
      connections = 1

      [[variant]]
      name = "one flow"

      [[variant]]
      name = "8 flows"
      connections = 8

      [[published]]
      name = "the estimate for the public internet"
      bytes = "72TB"
      time = "699d"
      """
  )

  private static let petabyte = BuiltInScenario(
    name: "petabyte",
    text: """
      title = "1 PB over one reserved lane on 100GE, beside what was published"
      seed = 1
      block-size = "256MiB"

      [dataset]
      bytes = "1PB"
      files = 50000

      """ + hosts + """

        [path]
        delay = "12.85ms"
        rate = "100G"
        mtu = 9000

        [[lane]]
        name = "a"
        rate = "100G"
        reserved = true

        """ + ports + """

          [[published]]
          name = "SLAC and Zettar 2018, encrypted, with checksums, capped at 80G"
          bytes = "1PB"
          time = "29h"

          [[published]]
          name = "MMCFTP 2015, one 100G line"
          bytes = "1PB"
          time = "26.5h"

          """
  )
}
