/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS-RPT.
 *
 *     record = "v=TLSRPTv1; rua=" URI *( "," URI )     (RFC 8460 3)
 */
#include "config.h"

#include "record/tlsrpt.h"

#include "mail/chars.h"
#include "record/uri.h"

/* RFC 8460 3: these are percent-encoded in a URI. */
static const mail_uri_form_t form = {
	.schemes = MAIL_URI_MAILTO | MAIL_URI_HTTPS,
	.escape = ",!;",
};

int mail_tlsrpt_uri_check(mail_str_t uri, mail_diag_t *diag)
{
	mail_buf_t out = { 0 };
	int ret = mail_uri_list_write(uri, &form, &out, diag);
	mail_buf_free(&out);
	return ret;
}

int mail_tlsrpt_render(const mail_str_t *uris, size_t n, mail_rdata_t *rdata, mail_diag_t *diag)
{
	if (n == 0) {
		return mail_diag_error(diag, 0, "TLS-RPT needs an address to report to");
	}
	mail_buf_t out = { 0 };
	int ret = KNOT_EOK;
	for (size_t i = 0; i < n; i++) {
		mail_buf_str(&out, i == 0 ? "v=TLSRPTv1; rua=" : ",");
		ret = mail_uri_list_write(uris[i], &form, &out, diag);
		if (ret != KNOT_EOK) {
			goto done;
		}
	}
	ret = mail_rdata_text(rdata, mail_buf_view(&out));
done:
	mail_buf_free(&out);
	return ret;
}
