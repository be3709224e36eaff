//! Certificates of encrypted DNS: why a file cannot be used, and what one says.

use crate::lang::message::messages;

messages! {
    certificate_file(path, why) "`{path}`: {why}" => "`{path}`: {why}";
    certificate_unread(why) "it cannot be read: {why}" => "không đọc được: {why}";
    certs_name_is_address(address, flag)
        "`{address}` is an address, and no certificate covers it as a name; write it behind `{flag}`"
        => "`{address}` là địa chỉ, không chứng chỉ nào nhận nó làm tên; hãy ghi sau `{flag}`";
    certs_too_long(kib, most)
        "it is larger than {kib} KiB or has more than {most} certificates; give the server's \
         certificate and those that signed it"
        => "tệp lớn hơn {kib} KiB hoặc có hơn {most} chứng chỉ; hãy đưa chứng chỉ của máy chủ và các \
            chứng chỉ đã ký nó";
    certs_none()
        "it has no certificate; give a PEM file with `-----BEGIN CERTIFICATE-----`"
        => "tệp không có chứng chỉ; hãy đưa tệp PEM có `-----BEGIN CERTIFICATE-----`";
    certs_no_pem()
        "it is no whole PEM file: it was cut, or is still being written; copy it again"
        => "tệp PEM không nguyên vẹn: bị cắt hoặc đang được ghi; hãy chép lại";
    certs_malformed(place)
        "certificate {place} of it cannot be read; issue or copy it again"
        => "không đọc được chứng chỉ thứ {place} trong tệp; hãy cấp hoặc chép lại";
    certs_no_key()
        "it has no private key; give a PEM file with `-----BEGIN PRIVATE KEY-----`"
        => "tệp không có khóa riêng; hãy đưa tệp PEM có `-----BEGIN PRIVATE KEY-----`";
    certs_unusable_key()
        "the private key cannot be used: it is broken, or neither P-256, P-384, RSA nor Ed25519"
        => "không dùng được khóa riêng: khóa hỏng, hoặc không phải P-256, P-384, RSA hay Ed25519";
    certs_wrong_key()
        "the private key is not the certificate's; give the key that the certificate was issued for"
        => "khóa riêng không phải của chứng chỉ; hãy đưa khóa dùng khi cấp chứng chỉ này";
    certs_needs_name()
        "no name is given; write `--name dns.school.example`, the name by which devices find this resolver"
        => "chưa có tên; hãy ghi `--name dns.school.example`, tên mà thiết bị dùng để tìm máy chủ này";
    certs_no_name(name, why) "`{name}` is no name of a host: {why}" => "`{name}` không phải tên máy: {why}";
    certs_suffix(name)
        "`{name}` is the name of a registry or of a whole domain: an authority for it could sign for \
         others, for a bank too; give a name of this resolver alone"
        => "`{name}` là tên của cơ quan đăng ký hoặc của cả một vùng: cơ quan cấp chứng chỉ cho tên này \
            có thể ký cho nơi khác, kể cả ngân hàng; hãy ghi tên chỉ của máy chủ này";
    certs_wild(name)
        "`{name}` is for every host of a whole domain, and its authority could sign for the school's web pages \
         and mail too; give this resolver's names one by one, or a wildcard below its own name, such as \
         `*.dns.school.example`"
        => "`{name}` là mọi máy của cả một tên miền, nên cơ quan cấp chứng chỉ ký được cả cho trang web và thư \
            của trường; hãy ghi từng tên của máy chủ này, hoặc dạng `*` bên dưới tên của nó, như \
            `*.dns.school.example`";
    certs_whole_domain(name)
        "Take care: `{name}` is a whole domain, and the authority can sign for every host below it, the \
         school's web pages and mail too. A name below it for this resolver alone, such as `dns.{name}`, is safer."
        => "Hãy cẩn thận: `{name}` là cả một tên miền, nên cơ quan cấp chứng chỉ ký được cho mọi máy bên dưới, \
            kể cả trang web và thư của trường. An toàn hơn là một tên riêng cho máy chủ này, như `dns.{name}`.";
    certs_no_address(address)
        "`{address}` is no address of one host; give an address at which devices reach this resolver"
        => "`{address}` không phải địa chỉ của một máy; hãy ghi địa chỉ mà thiết bị dùng để tới máy chủ này";
    certs_too_many(most)
        "more than {most} names or addresses are given; a certificate is for one resolver"
        => "có hơn {most} tên hoặc địa chỉ; một chứng chỉ chỉ dành cho một máy chủ";
    certs_not_permitted(what)
        "the authority may not sign for `{what}`; make a new authority with it, and give that to the devices"
        => "cơ quan cấp chứng chỉ này không được ký cho `{what}`; hãy tạo cơ quan mới có tên đó rồi cài \
            lên các thiết bị";
    certs_no_authority()
        "it is no authority made by `lachan certs self`: it may not sign, or is not bound to names"
        => "đây không phải cơ quan cấp chứng chỉ do `lachan certs self` tạo: không được ký, hoặc không \
            bị giới hạn theo tên";
    certs_authority_over()
        "the authority has expired; make a new one, and give it to the devices"
        => "cơ quan cấp chứng chỉ đã hết hạn; hãy tạo cơ quan mới rồi cài lên các thiết bị";
    certs_failed(why) "the certificate cannot be made: {why}" => "không tạo được chứng chỉ: {why}";
    certs_there(path)
        "{path} is there already, and nothing is overwritten; give another, or move it away"
        => "{path} đã có sẵn và không bị ghi đè; hãy chọn nơi khác, hoặc chuyển nó đi";
    certs_key_inside(path, out)
        "{path} is in {out}: the key of the authority must not lie beside the gateway's; give a path on \
         a stick"
        => "{path} nằm trong {out}: khóa của cơ quan cấp chứng chỉ không được để cạnh khóa của máy chủ; \
            hãy ghi đường dẫn trên USB";
    certs_needs_key()
        "`--authority` needs `--authority-key`, the key that signs"
        => "`--authority` cần có `--authority-key`, là khóa dùng để ký";
    certs_unreadable(path, why) "{path}: {why}" => "{path}: {why}";
    certs_made(out, day)
        "{out} has `cert.pem` and `key.pem` for `[[listen.tls]]`, good until {day}, and `ca.pem` for the \
         devices. Only its owner can read `key.pem`: give it to the user that serves."
        => "{out} có `cert.pem` và `key.pem` cho `[[listen.tls]]`, dùng được đến {day}, và `ca.pem` để cài \
            lên thiết bị. Chỉ chủ sở hữu đọc được `key.pem`: hãy giao cho người dùng chạy dịch vụ.";
    certs_bound(what)
        "The authority can sign for these alone, and for what is below the names: {what}"
        => "Cơ quan cấp chứng chỉ chỉ ký được cho các mục này và những tên bên dưới: {what}";
    certs_key_forgotten()
        "Its key was used once and is gone: the next certificate needs a new authority on every device. \
         With `--authority-key FILE` on a stick it would not."
        => "Khóa của nó chỉ dùng một lần và không còn nữa: chứng chỉ sau cần cài cơ quan mới lên mọi thiết \
            bị. Nếu có `--authority-key FILE` trên USB thì không cần.";
    certs_key_kept(path)
        "Its key is {path}. Keep it off this gateway; renew with `--authority` and `--authority-key`."
        => "Khóa của nó là {path}. Hãy cất ngoài máy này; gia hạn bằng `--authority` và `--authority-key`.";
    certs_heading(place, subject) "{place}. {subject}" => "{place}. {subject}";
    certs_names(names) "   names      {names}" => "   tên        {names}";
    certs_addresses(addresses) "   addresses  {addresses}" => "   địa chỉ    {addresses}";
    certs_issuer(issuer) "   issuer     {issuer}" => "   nơi cấp    {issuer}";
    certs_permits(what) "   signs for  {what}" => "   ký cho     {what}";
    certs_key_kind(kind) "   key        {kind}" => "   khóa       {kind}";
    certs_dates(from, until, left) "   dates      {from} to {until}: {left}" => "   thời hạn   {from} đến {until}: {left}";
    certs_days_left(days) "{days} days left" => "còn {days} ngày";
    certs_days_over(days) "over for {days} days" => "đã hết hạn {days} ngày";
    certs_not_yet() "not begun" => "chưa bắt đầu";
    certs_key_fits(key, certificate) "{key} is the key of {certificate}" => "{key} là khóa của {certificate}";
    certs_is_over(file)
        "{file}: the certificate has expired; devices refuse it: issue another, and check the clock"
        => "{file}: chứng chỉ đã hết hạn nên thiết bị từ chối: hãy cấp lại và kiểm tra đồng hồ";
    certs_is_early(file)
        "{file}: the certificate is not valid yet; check the clock, or wait"
        => "{file}: chứng chỉ chưa có hiệu lực; hãy kiểm tra đồng hồ hoặc chờ";
    certs_not_for(file, what)
        "{file}: the certificate is not for `{what}`; devices that ask for that refuse it"
        => "{file}: chứng chỉ không dành cho `{what}`; thiết bị dùng tên đó sẽ từ chối";
    certs_no_order(file, place)
        "{file}: certificate {place} is not signed by the one behind it; put the server's first, then each \
         one's issuer"
        => "{file}: chứng chỉ thứ {place} không do chứng chỉ sau nó ký; hãy để chứng chỉ máy chủ trước, rồi \
            lần lượt nơi cấp";
    certs_not_server(file)
        "{file}: the first certificate is no server's; put the server's first"
        => "{file}: chứng chỉ đầu tiên không phải của máy chủ; hãy để chứng chỉ máy chủ trước";
    certs_unfitting(key, why) "{key}: {why}" => "{key}: {why}";
    certs_is_right() "nothing is wrong with them" => "không có gì sai";
}
