//! Certificates of encrypted DNS: why a file cannot be used, and what one says.

use crate::lang::message::messages;

messages! {
    certificate_file(path, why) "`{path}`: {why}" => "`{path}`: {why}";
    certificate_unread(why) "it cannot be read: {why}" => "không đọc được: {why}";
    certificate_too_long(kib, most)
        "it is larger than {kib} KiB or has more than {most} certificates; give the server's \
         certificate and those that signed it"
        => "tệp lớn hơn {kib} KiB hoặc có hơn {most} chứng chỉ; hãy đưa chứng chỉ của máy chủ và các \
            chứng chỉ đã ký nó";
    certificate_none()
        "it has no certificate; give a PEM file with `-----BEGIN CERTIFICATE-----`"
        => "tệp không có chứng chỉ; hãy đưa tệp PEM có `-----BEGIN CERTIFICATE-----`";
    certificate_no_pem()
        "it is no whole PEM file: it was cut, or is still being written; copy it again"
        => "tệp PEM không nguyên vẹn: bị cắt hoặc đang được ghi; hãy chép lại";
    certificate_malformed(place)
        "certificate {place} of it cannot be read; issue or copy it again"
        => "không đọc được chứng chỉ thứ {place} trong tệp; hãy cấp hoặc chép lại";
    certificate_no_key()
        "it has no private key; give a PEM file with `-----BEGIN PRIVATE KEY-----`"
        => "tệp không có khóa riêng; hãy đưa tệp PEM có `-----BEGIN PRIVATE KEY-----`";
    certificate_unusable_key()
        "the private key cannot be used: it is broken, or neither P-256, P-384, RSA nor Ed25519"
        => "không dùng được khóa riêng: khóa hỏng, hoặc không phải P-256, P-384, RSA hay Ed25519";
    certificate_wrong_key()
        "the private key is not the certificate's; give the key that the certificate was issued for"
        => "khóa riêng không phải của chứng chỉ; hãy đưa khóa dùng khi cấp chứng chỉ này";
}
