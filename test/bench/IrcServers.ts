/**
 * Configurations of IRC servers in which nothing limits or delays a client: no penalties, no lookups, no small queues.
 *
 * Sources: ngircd.conf(5) of ngircd 26; docs/conf of InspIRCd 3.
 */

/** As root it wants a user to become, whose name this is on Debian. */
const user = "irc"

export const ngircdConfig = (port: number, isRoot: boolean): string => `
[Global]
Name = bench.example.net
Info = bench
Listen = 127.0.0.1
Ports = ${port}
MotdPhrase = "-"
${isRoot ? `ServerUID = ${user}\nServerGID = ${user}` : ""}
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxNickLength = 31
MaxPenaltyTime = 0
PingTimeout = 86400
PongTimeout = 86400
[Options]
DNS = no
Ident = no
PAM = no
`

/** A limit that is none: InspIRCd multiplies it by a thousand, in 32 bits. */
const many = 1_000_000
const gibibyte = 2 ** 30

export const inspircdConfig = (port: number, directory: string): string => `
<server name="bench.example.net" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@example.net">
<bind address="127.0.0.1" port="${port}" type="clients">
<connect name="everybody" allow="*" timeout="60" threshold="${many}" commandrate="${many}" fakelag="no"
  pingfreq="86400" softsendq="${gibibyte}" hardsendq="${gibibyte}" recvq="${gibibyte}" localmax="${many}" globalmax="${many}"
  maxconnwarn="no" maxchans="${many}" resolvehostnames="no" useident="no" limit="${many}">
<channels users="${many}" opers="${many}">
<dns server="127.0.0.1" timeout="1">
<pid file="${directory}/inspircd.pid">
<path datadir="${directory}" logdir="${directory}" runtimedir="${directory}">
<performance softlimit="${many}" somaxconn="4096" netbuffersize="65534" clonesonconnect="no" quietbursts="yes">
<security maxtargets="20">
<log method="file" type="* -USERINPUT -USEROUTPUT" level="default" target="${directory}/inspircd.log">
`
