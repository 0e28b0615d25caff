import DTXCore
import Testing

@Suite struct HostConfigurationTests {
  @Test func aFileSaysWhatItSays() throws {
    let configuration = try HostConfiguration(
      """
      # The port of this host.
      capacity = "100G"   # on the wire
      capacity-strict = true
      capacity-directory = '/run/dtx'

      """
    )
    #expect(configuration.capacity == Rate(bitsPerSecond: 100_000_000_000))
    #expect(configuration.isStrict)
    #expect(configuration.capacityDirectory == "/run/dtx")
    #expect(try HostConfiguration("") == HostConfiguration())
  }

  @Test(arguments: [
    (
      "capacity = 100G",
      "line 1, capacity: a value is a string in quotes, an integer, true, false, "
        + "or a time with zone"
    ),
    ("capacity = \"fast\"", "line 1, capacity: a rate is such as \"100G\""),
    ("\ncapacity = true", "line 2, capacity: its value is a string"),
    ("capacity = \"1G\"\ncapacity = \"2G\"", "line 2, capacity: it is said twice"),
    ("capacity-strict = \"yes\"", "line 1, capacity-strict: its value is true or false"),
    ("capacity-directory = \"x\"", "line 1, capacity-directory: a directory begins with a slash"),
    ("[host]", "line 1: there are no tables here"),
    (
      "speed = \"1G\"",
      "line 1: there is no key 'speed', but capacity, capacity-strict, capacity-directory"
    ),
  ])
  func whatIsWrongIsSaidWithItsLine(_ text: String, _ message: String) {
    let error = #expect(throws: LaneTextError.self) { try HostConfiguration(text) }
    #expect(error?.description == message)
  }

  @Test func aSecondFileNarrowsAndNeverWidens() throws {
    let host = try HostConfiguration("capacity = \"10G\"\ncapacity-directory = \"/a\"")
    let user = try HostConfiguration(
      "capacity = \"20G\"\ncapacity-strict = true\ncapacity-directory = \"/b\""
    )
    let both = host.narrowed(by: user)
    #expect(both.capacity == Rate(bitsPerSecond: 10_000_000_000))
    #expect(both.isStrict)
    #expect(both.capacityDirectory == "/a")
    #expect(user.narrowed(by: host).capacity == both.capacity)
    #expect(HostConfiguration().narrowed(by: user) == user)
  }

  @Test func claimsAreReadAsTheyAreWritten() {
    let claim = CapacityClaim(process: 812, rate: Rate(bitsPerSecond: 25_000), since: 17)
    #expect(claim.line == "pid=812 rate=25000 since=17\n")
    #expect(CapacityClaim(claim.line) == claim)
    for line in [
      "", "pid=812 rate=25000 since=17", "pid=812 rate=-1 since=17\n", "pid=812  since=17\n",
      "pid=812 rate=25000 since=17 x\n", "rate=1 pid=812 since=17\n",
      "pid=99999999999 rate=1 since=1\n",
    ] {
      #expect(CapacityClaim(line) == nil, "\(line)")
    }
  }

  @Test func whatIsHeldIsNotFree() {
    let capacity = Rate(bitsPerSecond: 100)
    let claims = [30, 50].map {
      CapacityClaim(process: 1, rate: Rate(bitsPerSecond: $0), since: 0)
    }
    #expect(CapacityClaim.free(of: capacity, besides: []) == capacity)
    #expect(CapacityClaim.free(of: capacity, besides: claims) == Rate(bitsPerSecond: 20))
    let lie = CapacityClaim(process: 1, rate: Rate(bitsPerSecond: .max), since: 0)
    #expect(
      CapacityClaim.free(of: capacity, besides: claims + [lie]) == Rate(bitsPerSecond: 0)
    )
  }
}
