
Ö
×
"
telemetry.sdk.language
python
%
telemetry.sdk.name
opentelemetry
!
telemetry.sdk.version
1.45.2
=
service.instance.id&
$a7a39f11-3d42-4476-a590-0c1d1c388e1a
(
service.name
unknown_service:pythonù

accessÁ	òÆ‘••ì*
GET /v1/orders/5 5032
http.request.method
GET2
url.path
/v1/orders/52 
http.response.status_code÷2

error.type
5032"

http.route
/v1/orders/{order}YòÆ‘••ì)	òÆ‘••ì	*
the cache is warmYòÆ‘••ì