/** Keys of each kind and what they signed, as OpenSSH 9.2 made them: `ssh-keygen -t … ` and `ssh-keygen -Y sign -n parley`. */
import { UserName } from "../../../src/common/name/UserName.ts"

/** What all of them signed. */
export const login = { host: "chat.example.org", user: UserName.make("ada"), nonce: "nonce" }

export interface Sample {
  readonly name: string
  readonly publicKey: string
  /** As `ssh-keygen -l` prints it. */
  readonly fingerprint: string
  readonly signature: string
}

export const ed25519: Sample = {
  name: "Ed25519",
  publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA9Kt99NqHj//VvQTrM18xeVhJvcDcY8qEBGdkqUW4xk ada at home",
  fingerprint: "SHA256:wcS7zme9UBPlk2oUn1gs1eB/Q75/2hSugzV+1s7EA5w",
  signature: `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgD0q3302oeP/9W9BOszXzF5WEm9
wNxjyoQEZ2SpRbjGQAAAAGcGFybGV5AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1
NTE5AAAAQELfbABwc5S5R8XLqpzZMPEbPDGZvckKT0Frt63iFzEXijG71b1YX4npvdYwGe
Z7kpG3RhPWxcuBiKrM31972AE=
-----END SSH SIGNATURE-----
`
}

export const ecdsa256: Sample = {
  name: "ECDSA of 256 bits",
  publicKey:
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBH5sLE5m0qdB3vODO3hX8zxwCrVrzplR+BHE5PguICwOYruuG3IyvQPDWgkF6nMISZhFeG6ToClZpUJrA+myFhg=",
  fingerprint: "SHA256:TKW5MEovyIdqH9JFXhDJxj+dqa3EXoEko3GBhqM5Jnw",
  signature: `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAGgAAAATZWNkc2Etc2hhMi1uaXN0cDI1NgAAAAhuaXN0cDI1NgAAAE
EEfmwsTmbSp0He84M7eFfzPHAKtWvOmVH4EcTk+C4gLA5iu64bcjK9A8NaCQXqcwhJmEV4
bpOgKVmlQmsD6bIWGAAAAAZwYXJsZXkAAAAAAAAABnNoYTUxMgAAAGQAAAATZWNkc2Etc2
hhMi1uaXN0cDI1NgAAAEkAAAAgcSYAO6rAeWfKrNkoblFkHW3XbFVmuccy/NT2xGWBiDcA
AAAhAO6wEauzxtuk3W/xPdXx1wtV6dX8IiWmwA6U/DZMTAWS
-----END SSH SIGNATURE-----
`
}

export const ecdsa384: Sample = {
  name: "ECDSA of 384 bits",
  publicKey:
    "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBNgI+PuxV1BKw7XdTI4NTOz4kI34gP/ZOyVwoBkH01EfTg98oKxkr0D4Udr90WsPUxpDgOM+gFMLD2lsFccOQuoq4hphInY9uV67v8fQ3xNzUxx60qC61luPeVqixFgy5w==",
  fingerprint: "SHA256:St7BEjc41Kjp8z/hrSd3IVhVs6tTXKANb4Lou5MpXi4",
  signature: `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAIgAAAATZWNkc2Etc2hhMi1uaXN0cDM4NAAAAAhuaXN0cDM4NAAAAG
EE2Aj4+7FXUErDtd1Mjg1M7PiQjfiA/9k7JXCgGQfTUR9OD3ygrGSvQPhR2v3Raw9TGkOA
4z6AUwsPaWwVxw5C6iriGmEidj25Xru/x9DfE3NTHHrSoLrWW495WqLEWDLnAAAABnBhcm
xleQAAAAAAAAAGc2hhNTEyAAAAgwAAABNlY2RzYS1zaGEyLW5pc3RwMzg0AAAAaAAAADBg
nCiSdDiwVRfqosPlCufUvDUHH412FSN04IcGYAh9srbFr9GeyrJF3jW4GIFWLOYAAAAwBt
q1fMBejTGaOAMP62LY/Xe7tPoGz1d5VlYJ4tQXzgHTCgdBOXHBwMMK7RlM6Bml
-----END SSH SIGNATURE-----
`
}

export const ecdsa521: Sample = {
  name: "ECDSA of 521 bits",
  publicKey:
    "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAC6BWOWte0F5gTRn56A2WWLGJLFw5+pcF3mBI3NJ54uDu6EMAcQdPPn4qXy2dG+HpqSasISPFFBhsDqpQBs8pBVbQD67z70DnO8wFpafhYICldH19SCoLOtTnZ32E5MmgGr/iGa25W2sZDwcrM2RLjlDzpIe+PLSevqkpvZmkzlzijgpQ==",
  fingerprint: "SHA256:6sKQjbNe1CI0+u6uxgsXQdPKq7Jq3Wu/wlz6FiXlMa8",
  signature: `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAAKwAAAATZWNkc2Etc2hhMi1uaXN0cDUyMQAAAAhuaXN0cDUyMQAAAI
UEALoFY5a17QXmBNGfnoDZZYsYksXDn6lwXeYEjc0nni4O7oQwBxB08+fipfLZ0b4empJq
whI8UUGGwOqlAGzykFVtAPrvPvQOc7zAWlp+FggKV0fX1IKgs61OdnfYTkyaAav+IZrblb
axkPByszZEuOUPOkh748tJ6+qSm9maTOXOKOClAAAABnBhcmxleQAAAAAAAAAGc2hhNTEy
AAAApgAAABNlY2RzYS1zaGEyLW5pc3RwNTIxAAAAiwAAAEERTxgNKT2n1k6mORlksrEtD8
GrVOdtESutVYZtAmzviPLQpsLfO9Gr/CGsjQ9+YWfgKvqLYaDvo+OvQt5IpspTowAAAEIB
z7inv51oj5EeB8ZFZ24s46IzEcq9HQB0Toh6ZE38hDEwmJeo2KRr+c6fyQWWvWjxh+2Zra
DSTXy7bqkBbZsKJ4Q=
-----END SSH SIGNATURE-----
`
}

export const rsa: Sample = {
  name: "RSA of 2048 bits",
  publicKey:
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDI97ok79xFHPf6SujXFAEdsVYkV2JbYNFxfgtq0GlN3nRJWAAzVJnW4hjWjxaQHNmK9yuEGej4zIaOGmabQTvJ7AjQrm6PdZwbcUReRCcp+9EwcyRXrT43woRdame9omUIeOeP7PA9/MIyv74C1oNC1DK7hO1j6lFvoF1sNWxZvn9Tg1WLCIzPyBqI9tAFTRpDA5yV/3rj1QevHobF2aYkvUcxsiVml13lVGe8VrVZxV0F91vTMS90sIH4YbSN2ObtSwhCC5joRfsFlg+YVo76fRUR4+fHqnQ08Yes4vDumcAW55L5oCqyuGe+CLmokOoR+UB51blJEqiiaHfRNyup",
  fingerprint: "SHA256:ViGpiw8iaAgDIXwMvA35qG2p1oy7MlUcDrVSIRTtTqg",
  signature: `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAARcAAAAHc3NoLXJzYQAAAAMBAAEAAAEBAMj3uiTv3EUc9/pK6NcUAR
2xViRXYltg0XF+C2rQaU3edElYADNUmdbiGNaPFpAc2Yr3K4QZ6PjMho4aZptBO8nsCNCu
bo91nBtxRF5EJyn70TBzJFetPjfChF1qZ72iZQh454/s8D38wjK/vgLWg0LUMruE7WPqUW
+gXWw1bFm+f1ODVYsIjM/IGoj20AVNGkMDnJX/euPVB68ehsXZpiS9RzGyJWaXXeVUZ7xW
tVnFXQX3W9MxL3SwgfhhtI3Y5u1LCEILmOhF+wWWD5hWjvp9FRHj58eqdDTxh6zi8O6ZwB
bnkvmgKrK4Z74IuaiQ6hH5QHnVuUkSqKJod9E3K6kAAAAGcGFybGV5AAAAAAAAAAZzaGE1
MTIAAAEUAAAADHJzYS1zaGEyLTUxMgAAAQBtv+wgNoFqOD2KDZdpzQUmRu3Jz7UjJXSrsV
QxicyNBAjUtTD0dB9w+yrcCOPDhNrzeFqMsDfK/Uf5VtsXYaKpoKVtKACSdnG1SknLwHJt
LkE2kD7dIoRDgwFarrwNfqLqLBhlM/o//IFEM9sEV4ouKv27gKR41BFsJSGj6uUdHC2dUK
HQghtEm5sLCsukh+6E7cMJZHvvYaPm0pFe6xgpYnw8eLZNZ3VSFTB4kAd0hWpvJPIpsmw2
9JL8A1AN2xmKsrInO4/J5/uxY5a9ONUSg6I/VHU2tW3xBy1RQzrKVZnjlQa6M+jKptc91n
30sKKwmr6X49Y+n0oiobp2KANc
-----END SSH SIGNATURE-----
`
}

export const samples: ReadonlyArray<Sample> = [ed25519, ecdsa256, ecdsa384, ecdsa521, rsa]

/** By the Ed25519 key, with SHA-256 instead of SHA-512. */
export const withSha256 = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgD0q3302oeP/9W9BOszXzF5WEm9
wNxjyoQEZ2SpRbjGQAAAAGcGFybGV5AAAAAAAAAAZzaGEyNTYAAABTAAAAC3NzaC1lZDI1
NTE5AAAAQG7K3Bx2bXtU46Kw1wtQEc/k/77RoWfkAbW8t8HA8Qjv7gVwh6/h81N/LdJAsY
nQdXEXmnZugbgNTa214eFm3A8=
-----END SSH SIGNATURE-----
`

/** By the Ed25519 key, for the namespace `file`. */
export const forFile = `-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgD0q3302oeP/9W9BOszXzF5WEm9
wNxjyoQEZ2SpRbjGQAAAAEZmlsZQAAAAAAAAAGc2hhNTEyAAAAUwAAAAtzc2gtZWQyNTUx
OQAAAECXOL/B2JUQpbvm0AQenLen/TzR9U3Qvc1/QYschN1xunEKthOxhEM5Q2Wxfeaoro
pbAsCWOSREWQNvBix7PRQG
-----END SSH SIGNATURE-----
`
