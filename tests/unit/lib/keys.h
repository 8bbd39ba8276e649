/* SPDX-License-Identifier: GPL-3.0-or-later */
/*!
 * \file
 * \brief Keys that other programs made for the tests: by ldns-keygen 1.8.3, and what OpenSSL 3.0 made of them.
 */
#pragma once

/*! RSASHA256, as ldns-keygen wrote it. */
__attribute__((unused)) static const char keys_rsa_bind[] =
	"Private-key-format: v1.2\n"
	"Algorithm: 8 (RSASHA256)\n"
	"Modulus: 3aKZi/CY+5Eq1az98JF4VHfhnY3YMF3crMbMFRAnlm4p4nzzaiGig54i0J5D4n3mC0D"
	"yDdvocAMZAhfpuCLq1sIg2kFqMmVMsf2/StKv0dpObKDi9HJAm9w2hRt2DyKxTPCbNifzrMmwbul"
	"panyHPQgFcZbyFGwDVlgb6Q0ekBdu18iyYyOLOziZarUD7P87eFISKL6DW1r4ImKxMgDIArnWkwY"
	"/H7u3gbK8zKOBPIWV0KZ1L6nIY/PqFgQATGr4UApYjFF+7Gv3eUTW+1QQFQ8EZYnKV1H7AVMZS3s"
	"VIvNrw2UoLuD8HOtjKmtNWVovvROzR0SDZaNnLZb5lH2Uow==\n"
	"PublicExponent: AQAB\n"
	"PrivateExponent: CWjyaPkdnayzq1/NZk3e1INEfnp7v830ZReJqalGbQIfYCDa+toTus/XfZE"
	"Co9ahkj+/Jyx7iWnwQWD/iNResSCL4YheeGZJo9L4sLYSRfAlXUJVcHh7WsK2Q99/GzRnX7Nle56"
	"ln2PuzD63vZAs87/n70Mv4wMU/zD9el8WuZpY0shZp0A7DFMP1iIhBdEQqXXKF6n0/Q+ygbjipqU"
	"hcFKxp4hCjXdbQFnF/obgWtO3PZCtjH3vl+ldGk11uP07oicyBGtOBrAUVpcSqfHOwWqCgeWRFRR"
	"CDrK7k/WWP8MemPeP9uka9160/iaZooJ3BihS66kYyNj0no6GK6kVuQ==\n"
	"Prime1: /lILT3gCeK1xKbbYiqWZcxyuSPOn6bg6EknZkqvf1kAK5i5gk7nCR1PunSRVIW9y+srg"
	"FiZrEcA6SYhSwy0PZZj7RjiP4ZXJnmmWO6CtI9otmrrufb9j2EPa/KEbOePqQE95e/fR8Sgpp0M1"
	"It1na8ZtvPRU0NguIl6zT6Lzrns=\n"
	"Prime2: 3xlMLo8i4pGiEW1MMqAI8/chXbSZyILo/9ghrECvol2a7ioMecmfZIVxeQLlRWCYDPFz"
	"GPWyE/3BK449FPe1T7Nww4P7iTC4Du/PnN7dI/aucybCN/ikA6WdEm96GrJUEtV5x1AIBA7eroec"
	"fmGgR/o0VKELt7W7yub7JlyD7fk=\n"
	"Exponent1: 7JoRsbY5vmHF9QQKAzs7Po/BSVd9sP/W7urLwxup3B6qxSkCao0YRNm+FW4W0UtpU"
	"g9qWNEXLWWEFKMCNFh4iZHAu7ylhz6eW4Vp4kGCsucpJFmixVRIpIvEcOHFfZ8fcQM/R2jwZYZy8"
	"gyho7UNoYPy1icNvVpR2WH3OjCkun8=\n"
	"Exponent2: KWljt7zAB/hqcfusyjTklIyJ9//fD9Yk8+Cll3jGYUgoyw6pFC411Q3kG0dLUY51i"
	"umCqN5qeMWAhto3Ql4cnLe9Nb2ZAkU11Sf0jLTdraBLj3phUMxpfXfPaS2iJ7R0YK6ZlUKoykAMW"
	"682gEsU2md6MT9Xknk8a5RmiB9iKdk=\n"
	"Coefficient: sBGklvq1XVrCgN5yKzq92TAZV/UczlWTDWf03cNVDMNrHVMgLYbpwZbiz05MqKo"
	"TjAzNNOF+8rUP0EY6AzDtBvUV4wtolpKVNkxftiU7tmvvOpnn4DlnE6plACTi37vZnCYT69Kukeh"
	"XMx9t5fYDiF/e2aHHboVO5LX2m6gdHcU=\n";

/*! The same as PKCS#8. */
__attribute__((unused)) static const char keys_rsa_pkcs8[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQDdopmL8Jj7kSrV\n"
	"rP3wkXhUd+GdjdgwXdysxswVECeWbinifPNqIaKDniLQnkPifeYLQPIN2+hwAxkC\n"
	"F+m4IurWwiDaQWoyZUyx/b9K0q/R2k5soOL0ckCb3DaFG3YPIrFM8Js2J/OsybBu\n"
	"6WlqfIc9CAVxlvIUbANWWBvpDR6QF27XyLJjI4s7OJlqtQPs/zt4UhIovoNbWvgi\n"
	"YrEyAMgCudaTBj8fu7eBsrzMo4E8hZXQpnUvqchj8+oWBABMavhQCliMUX7sa/d5\n"
	"RNb7VBAVDwRlicpXUfsBUxlLexUi82vDZSgu4Pwc62Mqa01ZWi+9E7NHRINlo2ct\n"
	"lvmUfZSjAgMBAAECggEACWjyaPkdnayzq1/NZk3e1INEfnp7v830ZReJqalGbQIf\n"
	"YCDa+toTus/XfZECo9ahkj+/Jyx7iWnwQWD/iNResSCL4YheeGZJo9L4sLYSRfAl\n"
	"XUJVcHh7WsK2Q99/GzRnX7Nle56ln2PuzD63vZAs87/n70Mv4wMU/zD9el8WuZpY\n"
	"0shZp0A7DFMP1iIhBdEQqXXKF6n0/Q+ygbjipqUhcFKxp4hCjXdbQFnF/obgWtO3\n"
	"PZCtjH3vl+ldGk11uP07oicyBGtOBrAUVpcSqfHOwWqCgeWRFRRCDrK7k/WWP8Me\n"
	"mPeP9uka9160/iaZooJ3BihS66kYyNj0no6GK6kVuQKBgQD+UgtPeAJ4rXEpttiK\n"
	"pZlzHK5I86fpuDoSSdmSq9/WQArmLmCTucJHU+6dJFUhb3L6yuAWJmsRwDpJiFLD\n"
	"LQ9lmPtGOI/hlcmeaZY7oK0j2i2auu59v2PYQ9r8oRs54+pAT3l799HxKCmnQzUi\n"
	"3Wdrxm289FTQ2C4iXrNPovOuewKBgQDfGUwujyLikaIRbUwyoAjz9yFdtJnIguj/\n"
	"2CGsQK+iXZruKgx5yZ9khXF5AuVFYJgM8XMY9bIT/cErjj0U97VPs3DDg/uJMLgO\n"
	"78+c3t0j9q5zJsI3+KQDpZ0Sb3oaslQS1XnHUAgEDt6uh5x+YaBH+jRUoQu3tbvK\n"
	"5vsmXIPt+QKBgQDsmhGxtjm+YcX1BAoDOzs+j8FJV32w/9bu6svDG6ncHqrFKQJq\n"
	"jRhE2b4VbhbRS2lSD2pY0RctZYQUowI0WHiJkcC7vKWHPp5bhWniQYKy5ykkWaLF\n"
	"VEiki8Rw4cV9nx9xAz9HaPBlhnLyDKGjtQ2hg/LWJw29WlHZYfc6MKS6fwKBgClp\n"
	"Y7e8wAf4anH7rMo05JSMiff/3w/WJPPgpZd4xmFIKMsOqRQuNdUN5BtHS1GOdYrp\n"
	"gqjeanjFgIbaN0JeHJy3vTW9mQJFNdUn9Iy03a2gS496YVDMaX13z2ktoie0dGCu\n"
	"mZVCqMpADFuvNoBLFNpnejE/V5J5PGuUZogfYinZAoGBALARpJb6tV1awoDecis6\n"
	"vdkwGVf1HM5Vkw1n9N3DVQzDax1TIC2G6cGW4s9OTKiqE4wMzTThfvK1D9BGOgMw\n"
	"7Qb1FeMLaJaSlTZMX7YlO7Zr7zqZ5+A5ZxOqZQAk4t+72ZwmE+vSrpHoVzMfbeX2\n"
	"A4hf3tmhx26FTuS19puoHR3F\n"
	"-----END PRIVATE KEY-----\n";

/*! The same as OpenSSL wrote it before. */
__attribute__((unused)) static const char keys_rsa_pkcs1[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"MIIEpAIBAAKCAQEA3aKZi/CY+5Eq1az98JF4VHfhnY3YMF3crMbMFRAnlm4p4nzz\n"
	"aiGig54i0J5D4n3mC0DyDdvocAMZAhfpuCLq1sIg2kFqMmVMsf2/StKv0dpObKDi\n"
	"9HJAm9w2hRt2DyKxTPCbNifzrMmwbulpanyHPQgFcZbyFGwDVlgb6Q0ekBdu18iy\n"
	"YyOLOziZarUD7P87eFISKL6DW1r4ImKxMgDIArnWkwY/H7u3gbK8zKOBPIWV0KZ1\n"
	"L6nIY/PqFgQATGr4UApYjFF+7Gv3eUTW+1QQFQ8EZYnKV1H7AVMZS3sVIvNrw2Uo\n"
	"LuD8HOtjKmtNWVovvROzR0SDZaNnLZb5lH2UowIDAQABAoIBAAlo8mj5HZ2ss6tf\n"
	"zWZN3tSDRH56e7/N9GUXiampRm0CH2Ag2vraE7rP132RAqPWoZI/vycse4lp8EFg\n"
	"/4jUXrEgi+GIXnhmSaPS+LC2EkXwJV1CVXB4e1rCtkPffxs0Z1+zZXuepZ9j7sw+\n"
	"t72QLPO/5+9DL+MDFP8w/XpfFrmaWNLIWadAOwxTD9YiIQXREKl1yhep9P0PsoG4\n"
	"4qalIXBSsaeIQo13W0BZxf6G4FrTtz2QrYx975fpXRpNdbj9O6InMgRrTgawFFaX\n"
	"EqnxzsFqgoHlkRUUQg6yu5P1lj/DHpj3j/bpGvdetP4mmaKCdwYoUuupGMjY9J6O\n"
	"hiupFbkCgYEA/lILT3gCeK1xKbbYiqWZcxyuSPOn6bg6EknZkqvf1kAK5i5gk7nC\n"
	"R1PunSRVIW9y+srgFiZrEcA6SYhSwy0PZZj7RjiP4ZXJnmmWO6CtI9otmrrufb9j\n"
	"2EPa/KEbOePqQE95e/fR8Sgpp0M1It1na8ZtvPRU0NguIl6zT6LzrnsCgYEA3xlM\n"
	"Lo8i4pGiEW1MMqAI8/chXbSZyILo/9ghrECvol2a7ioMecmfZIVxeQLlRWCYDPFz\n"
	"GPWyE/3BK449FPe1T7Nww4P7iTC4Du/PnN7dI/aucybCN/ikA6WdEm96GrJUEtV5\n"
	"x1AIBA7eroecfmGgR/o0VKELt7W7yub7JlyD7fkCgYEA7JoRsbY5vmHF9QQKAzs7\n"
	"Po/BSVd9sP/W7urLwxup3B6qxSkCao0YRNm+FW4W0UtpUg9qWNEXLWWEFKMCNFh4\n"
	"iZHAu7ylhz6eW4Vp4kGCsucpJFmixVRIpIvEcOHFfZ8fcQM/R2jwZYZy8gyho7UN\n"
	"oYPy1icNvVpR2WH3OjCkun8CgYApaWO3vMAH+Gpx+6zKNOSUjIn3/98P1iTz4KWX\n"
	"eMZhSCjLDqkULjXVDeQbR0tRjnWK6YKo3mp4xYCG2jdCXhyct701vZkCRTXVJ/SM\n"
	"tN2toEuPemFQzGl9d89pLaIntHRgrpmVQqjKQAxbrzaASxTaZ3oxP1eSeTxrlGaI\n"
	"H2Ip2QKBgQCwEaSW+rVdWsKA3nIrOr3ZMBlX9RzOVZMNZ/Tdw1UMw2sdUyAthunB\n"
	"luLPTkyoqhOMDM004X7ytQ/QRjoDMO0G9RXjC2iWkpU2TF+2JTu2a+86mefgOWcT\n"
	"qmUAJOLfu9mcJhPr0q6R6FczH23l9gOIX97ZocduhU7ktfabqB0dxQ==\n"
	"-----END RSA PRIVATE KEY-----\n";

/*! ECDSAP256SHA256. */
__attribute__((unused)) static const char keys_p256_bind[] =
	"Private-key-format: v1.2\n"
	"Algorithm: 13 (ECDSAP256SHA256)\n"
	"PrivateKey: lWugVSNqTcKXBGvUVkoLK04058zEurl2KInH1O9zGOc=\n";

/*! The same as PKCS#8. */
__attribute__((unused)) static const char keys_p256_pkcs8[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQglWugVSNqTcKXBGvU\n"
	"VkoLK04058zEurl2KInH1O9zGOehRANCAAQNuQATIKC/XwBswzqBQ/AGyafybnxh\n"
	"7MjWJbkccGU0b7I8ck8QdFIISf03F5I3Jt4FbfZsdbHbmLt66s7r+nsM\n"
	"-----END PRIVATE KEY-----\n";

/*! The same as SEC 1, with the parameters before it. */
__attribute__((unused)) static const char keys_p256_sec1[] =
	"-----BEGIN EC PARAMETERS-----\n"
	"BggqhkjOPQMBBw==\n"
	"-----END EC PARAMETERS-----\n"
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MHcCAQEEIJVroFUjak3ClwRr1FZKCytONOfMxLq5diiJx9TvcxjnoAoGCCqGSM49\n"
	"AwEHoUQDQgAEDbkAEyCgv18AbMM6gUPwBsmn8m58YezI1iW5HHBlNG+yPHJPEHRS\n"
	"CEn9NxeSNybeBW32bHWx25i7eurO6/p7DA==\n"
	"-----END EC PRIVATE KEY-----\n";

/*! ED25519. */
__attribute__((unused)) static const char keys_ed25519_bind[] =
	"Private-key-format: v1.2\n"
	"Algorithm: 15 (ED25519)\n"
	"PrivateKey: sjcEOEthfEAW6ARC/VQzHO17NxTRQh6oNXQ5myzv9rA=\n";

/*! The same as PKCS#8. */
__attribute__((unused)) static const char keys_ed25519_pkcs8[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEILI3BDhLYXxAFugEQv1UMxztezcU0UIeqDV0OZss7/aw\n"
	"-----END PRIVATE KEY-----\n";

/*! Keys that are not taken: the curve P-384, */
__attribute__((unused)) static const char keys_p384[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDD36seNu/omjNyCeFeI\n"
	"cYF4q+C0NNtQYXeTAgeEuMgKHtIh+Gi2Ujniua/GJbR2KjuhZANiAAT3fjkNpbWl\n"
	"7N57gYPMceP+n+S/kwEER1C+m6DSYcsoIOzC4V+QulPIWoqA0FdCOyX3cNaFnLnp\n"
	"dGHGLjv3hTm/BvWQ7xfCQthSxRDe6bX1mdZqoXgEAG7CrDWw+wl+NWI=\n"
	"-----END PRIVATE KEY-----\n";

/*! a short RSA key, */
__attribute__((unused)) static const char keys_rsa1024[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAOOctP9BnXAUwL9T\n"
	"+SkRn96mFDU37r+eyT4fl92THkhcUJuj9mPXl+ln5x0Gz0PIWPVtKm35F+9uVNLR\n"
	"PevXR0QHDdlV3s8aULlyd4CBio85K1Sd3j3jPrS1HKnJ3n9tkWTESSpyXTfYyUrC\n"
	"EaL5Wtl3SsTP9wJe5gY6u/eSZFhvAgMBAAECgYBWl9bQScFA09RktejT9A2TYjHL\n"
	"8WSWaC19wf0/4emic+SC4gUqBOqZdNsbUuzlh8I4VPjQb/ToNVx1+/8Hy5YjlqFi\n"
	"RKST6335SpRIjwj0BJAbE2787mXRxGHX/2Juii7aNmB/0AIys322MnbSJZ7G6oMD\n"
	"YOneo5/o54XvFSICwQJBAPguGawpJEULCFuI3ULLQW9LqtQ1h3wCLBLWB5376vwT\n"
	"xvhYldqYYCQ09ZSoyXPdHDG6yYIU0CFuvcwHr847EY8CQQDqyLL7dhCFmO7ICntU\n"
	"/eJDB3QdJ2EOQr5vAQFru/7MWAsiERCehluDQAJBTs4UMz41T0biWW1gPIQ52+V+\n"
	"wxshAkEAtzdhYIWm7wmsC9dIcU0Ya4+S98Lk2JnJ68XyLaGS4rG/DAxp5Mzk/RXT\n"
	"zwGkZ1Luw4+/v7aZyHS2zW9HTJqy5QJBAIdxNoeIKanYes+d9F4ohFGkyCBValEe\n"
	"wdspmlc7QZdCp1GExLCe08YYs/RW8N2IXjfEvyCu9EETSDhUmcUR6uECQQCPY6T1\n"
	"0DZBjclAvkicnx6kLjEKt8hd3xQcKhQh6dlzs/W/PwLp7Fe3BdkOTdB48vk2hVRS\n"
	"+VSS8DchQlIHBvbL\n"
	"-----END PRIVATE KEY-----\n";

/*! one that does not sign, */
__attribute__((unused)) static const char keys_x25519[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VuBCIEIOChXttSlMkVTluC6PRtRr//sa+wnDzo08TB+YPQRBxU\n"
	"-----END PRIVATE KEY-----\n";

/*! encrypted ones. */
__attribute__((unused)) static const char keys_encrypted[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg6cG+7pqA2igICCAAw\n"
	"DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEMpz7YzTNoncckwj2eM4LCIEQOFj\n"
	"j6I84CIxwkYVMvRc66BFTnsxNNJwRumLs/o5R/Hx8kcRGWJAxLEkl1VD5eEOZgCZ\n"
	"Bwc/ElqbvHGDpdSl5II=\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";

/*! The older form. */
__attribute__((unused)) static const char keys_encrypted_pkcs1[] =
	"-----BEGIN RSA PRIVATE KEY-----\n"
	"Proc-Type: 4,ENCRYPTED\n"
	"DEK-Info: AES-128-CBC,2C58D3A5C94A81A9C45BED6180347423\n"
	"\n"
	"bInVqLgQSjJGthwd/tq97Hu481z25A2xO8dgm1gRgRoc6fuiq+ZZiD+lZCgyIMz7\n"
	"RfGmEp/AsJxgFjZGdEaPNlBL8wNr5iEtGO/sHmF2Vs4Pku8TV9vvAquadGSTe89k\n"
	"SVvh6k/hA7wf2iK44nqI3O+t4v3daZS9LRrOFRtXu/p540VgRlRkiI2tthvXt5kK\n"
	"Y5s/Kxole1hi0C6G0HyzT+ManSXyEL/1AzAl2BmQCbQAInzh9RsJ9Ynd9Ii+wQ3l\n"
	"ITP3FNW6utLliIOQbZQjGLJbbBRpZ+NGzfnLvP0Ecu/gTVOJIzlKDy3gZPN98+aC\n"
	"HXZvXRL8RD1S0avUBYAoDCZ2OGrPk/JD2CST4hoq+KIkQdpMx3kjDpAHih25SxyH\n"
	"qcmStsURSPc3Z7jGRHaZ1RMvaxRaXPWgh8uu3Jl+8SOCyNtx4+loQ21Zn1hO0xyv\n"
	"Xmju02GKkbEAtc7VaJOAxiJ6YGk9cnh71r3mVyZzv1ujcQzl2MppFT1aSjUN/Tr0\n"
	"yP0XHBbwL5AGsI80QWIVKbYtJAPOwDhFdq74EzCocjrFPthdVtwc6r6je+m1BpXe\n"
	"nIWas2KwP/N15lsu0suolS1t3zXQ4yAF1vzwykJt6KmkTXChhTj82o5Zr58EN5iv\n"
	"/SduJP1wLVeJkbsnzUsiws7oLda7Ln1f6zb3q/OD5buQxcXSfA6kHEsiAC5aKnj2\n"
	"pcPlaquLhltYve73Zc6LROyVpNhc0c+EuJg8664lFw9RvUddb+VcVOKI6Ae7M3f6\n"
	"Y52r9Z1CuTE5pfyvMD1kTAHJdJbOcmHyfVe0vyP6MVRfT0+ojM5N3I+xJPPBAiwT\n"
	"C+IOwE/Ugx1XYZ29nj7cw/0v/DeWyFezNttvIcGXMywC3Y8E3UwyqyiKh1Rk+Rjf\n"
	"MFNthcLAETmjZydDupw0P2DGLmof/gpey7C0YGr3K+cE32YuXolH5KsbYjSib1QQ\n"
	"54UhC4LhRITpRVhBr0Waxw29EgUK++7c4VUDvQDp4hgtcqZSzAGZGv2+UcCBrT74\n"
	"pgaKOOGV4N2YWDY9NlKimTtwB6bxAawhPjJJW/hrglagrhQkbDrG7V/9IJGONLM2\n"
	"y5SdE2HgLTgfGREcVObi79XJHLLGPJcSfuFWWxFVXSYY3Tiivj2/TjdANEu3Rruu\n"
	"9q6WScv6+AQ3cauBZWTcBt7tmI73ticE1xL7w4ppRMkscfLo/CFbbeZt/nWJ1IQE\n"
	"/E0nDVPngtqmdAoRx2AVK6hyP47hplReinOG6rWNPpf05GKp+YegvR8cEuTpZHLw\n"
	"o8WDnQ1X/aLioL+vU60j/sKwPakbAtJZH3lbTzcPq1SjOCeJrkOBgYghF/zFzk+7\n"
	"Vh4Q2+t/PgeL8SzLudxtlK8sfkeBRuI14eMOHycY99VtobnZIh6me0Z8G8xLwPw9\n"
	"f40lR3+lpun1IuVMT47UcBvfNvewseukIP6/lvYsmiWqa39QvigX0FSfgQvaL0nr\n"
	"sGhmwOr6tkx/UVoLC4A1mTkGn8oobOo9VzVZUqzB4VV0+Jmy2xD4xbTBiuuGAjRO\n"
	"W8OeoE6ue3xuSIzbHBJHmy4rmvywaySyvWfFLRcWRoUDziN38CqA4mxcIDHLC/Dz\n"
	"-----END RSA PRIVATE KEY-----\n";

/*! Public halves, as ldns-keygen wrote them. */
__attribute__((unused)) static const char keys_rsa_public[] =
	"AwEAAd2imYvwmPuRKtWs/fCReFR34Z2N2DBd3KzGzBUQJ5ZuKeJ882ohooOeItCeQ+J95gtA8g3b"
	"6HADGQIX6bgi6tbCINpBajJlTLH9v0rSr9HaTmyg4vRyQJvcNoUbdg8isUzwmzYn86zJsG7paWp8"
	"hz0IBXGW8hRsA1ZYG+kNHpAXbtfIsmMjizs4mWq1A+z/O3hSEii+g1ta+CJisTIAyAK51pMGPx+7"
	"t4GyvMyjgTyFldCmdS+pyGPz6hYEAExq+FAKWIxRfuxr93lE1vtUEBUPBGWJyldR+wFTGUt7FSLz"
	"a8NlKC7g/BzrYyprTVlaL70Ts0dEg2WjZy2W+ZR9lKM=";

/*! ECDSAP256SHA256. */
__attribute__((unused)) static const char keys_p256_public[] =
	"DbkAEyCgv18AbMM6gUPwBsmn8m58YezI1iW5HHBlNG+yPHJPEHRSCEn9NxeSNybeBW32bHWx25i7"
	"eurO6/p7DA==";

/*! ED25519. */
__attribute__((unused)) static const char keys_ed25519_public[] =
	"Lnh6B5JLNBetXvPYxck/iYdNReX0y20LB4LChH8m8Bw=";
